package trapline.engine.event;

/// The architectural registers of a vCPU, in the order that state and log number them.
///
/// General registers have the numbers of instruction encodings; a segment takes four places. The
/// MSRs that a processor or a hypervisor switches as a register are here, too. New ones go to the end.
public enum Reg {
    // spotless:off
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
    RIP, RFLAGS, CR0, CR2, CR3, CR4, CR8, XCR0,
    DR0, DR1, DR2, DR3, DR6, DR7, CPL,
    ES_SELECTOR, ES_ATTRIBUTES, ES_LIMIT, ES_BASE,
    CS_SELECTOR, CS_ATTRIBUTES, CS_LIMIT, CS_BASE,
    SS_SELECTOR, SS_ATTRIBUTES, SS_LIMIT, SS_BASE,
    DS_SELECTOR, DS_ATTRIBUTES, DS_LIMIT, DS_BASE,
    FS_SELECTOR, FS_ATTRIBUTES, FS_LIMIT, FS_BASE,
    GS_SELECTOR, GS_ATTRIBUTES, GS_LIMIT, GS_BASE,
    LDTR_SELECTOR, LDTR_ATTRIBUTES, LDTR_LIMIT, LDTR_BASE,
    TR_SELECTOR, TR_ATTRIBUTES, TR_LIMIT, TR_BASE,
    GDTR_LIMIT, GDTR_BASE, IDTR_LIMIT, IDTR_BASE,
    EFER, PAT, DEBUGCTL, SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP,
    STAR, LSTAR, CSTAR, SYSCALL_MASK, KERNEL_GS_BASE, SPEC_CTRL,
    S_CET, SSP, INT_SSP_TAB;
    // spotless:on

    private static final Reg[] ALL = values();

    public static final int COUNT = ALL.length;

    public static Reg of(int number) {
        return ALL[number];
    }

    /// A register's name by its number, which a newer log may have given to one unknown here.
    public static String name(int number) {
        return number >= 0 && number < COUNT ? ALL[number].name() : "register " + number;
    }

    /// Where [Writes] lists this register.
    public int place() {
        return ~ordinal();
    }
}
