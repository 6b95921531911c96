package trapline.engine.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import trapline.engine.event.Reg;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// Which field of a control structure holds which register, and which MSR is a register.
public final class RegisterMap {

    private static final RegisterMap VMX = new RegisterMap(vmx());
    private static final RegisterMap SVM = new RegisterMap(svm());

    private static final int[] MSR_INDICES;
    private static final Reg[] MSR_REGISTERS;

    static {
        Object[][] pairs = {
            {Msrs.FS_BASE, Reg.FS_BASE},
            {Msrs.GS_BASE, Reg.GS_BASE},
            {Msrs.EFER, Reg.EFER},
            {Msrs.PAT, Reg.PAT},
            {Msrs.DEBUGCTL, Reg.DEBUGCTL},
            {Msrs.SYSENTER_CS, Reg.SYSENTER_CS},
            {Msrs.SYSENTER_ESP, Reg.SYSENTER_ESP},
            {Msrs.SYSENTER_EIP, Reg.SYSENTER_EIP},
            {Msrs.STAR, Reg.STAR},
            {Msrs.LSTAR, Reg.LSTAR},
            {Msrs.CSTAR, Reg.CSTAR},
            {Msrs.SYSCALL_MASK, Reg.SYSCALL_MASK},
            {Msrs.KERNEL_GS_BASE, Reg.KERNEL_GS_BASE},
            {Msrs.SPEC_CTRL, Reg.SPEC_CTRL},
            {Msrs.S_CET, Reg.S_CET},
            {Msrs.INT_SSP_TAB, Reg.INT_SSP_TAB},
        };
        Arrays.sort(pairs, (a, b) -> Integer.compare((Integer) a[0], (Integer) b[0]));
        MSR_INDICES = new int[pairs.length];
        MSR_REGISTERS = new Reg[pairs.length];
        for (int i = 0; i < pairs.length; i++) {
            MSR_INDICES[i] = (Integer) pairs[i][0];
            MSR_REGISTERS[i] = (Reg) pairs[i][1];
        }
    }

    private final Field[] fields = new Field[Reg.COUNT];
    private final int[] registers;

    private RegisterMap(List<Pair> pairs) {
        Layout layout = pairs.getFirst().layout;
        registers = new int[layout.size()];
        Arrays.fill(registers, -1);
        for (Pair pair : pairs) {
            Field field = layout.named(pair.field);
            fields[pair.register.ordinal()] = field;
            registers[field.ordinal()] = pair.register.ordinal();
        }
    }

    public static RegisterMap of(Vendor vendor) {
        return vendor == Vendor.VMX ? VMX : SVM;
    }

    /// The register that this MSR is, or null for any other MSR.
    public static Reg register(int msr) {
        int at = Arrays.binarySearch(MSR_INDICES, msr);
        return at < 0 ? null : MSR_REGISTERS[at];
    }

    /// The MSRs that are registers, lowest register first.
    public static int[] msrs() {
        return MSR_INDICES.clone();
    }

    /// The field that holds a register while the guest does not run, or null.
    public Field field(Reg register) {
        return fields[register.ordinal()];
    }

    /// The register that a field holds, or null.
    public Reg register(Field field) {
        int register = registers[field.ordinal()];
        return register < 0 ? null : Reg.of(register);
    }

    private record Pair(Layout layout, Reg register, String field) {}

    /// CR0 and CR4 are not among them: their fields hold what the hardware runs with, not what the guest sees.
    private static List<Pair> vmx() {
        List<Pair> pairs = new ArrayList<>();
        String[] plain = {
            "RIP",
            "RSP",
            "RFLAGS",
            "CR3",
            "DR7",
            "SYSENTER_CS",
            "SYSENTER_ESP",
            "SYSENTER_EIP",
            "GDTR_LIMIT",
            "GDTR_BASE",
            "IDTR_LIMIT",
            "IDTR_BASE"
        };
        for (String name : plain) {
            pairs.add(new Pair(Layout.VMCS, Reg.valueOf(name), "GUEST_" + name));
        }
        for (String name : new String[] {"EFER", "PAT", "DEBUGCTL"}) {
            pairs.add(new Pair(Layout.VMCS, Reg.valueOf(name), "GUEST_IA32_" + name));
        }
        pairs.add(new Pair(Layout.VMCS, Reg.S_CET, "GUEST_S_CET"));
        pairs.add(new Pair(Layout.VMCS, Reg.SSP, "GUEST_SSP"));
        pairs.add(new Pair(Layout.VMCS, Reg.INT_SSP_TAB, "GUEST_INTR_SSP_TABLE"));
        for (String segment : segments()) {
            pairs.add(
                    segment(Layout.VMCS, segment + "_SELECTOR", "GUEST_" + segment + "_SELECTOR"));
            pairs.add(
                    segment(
                            Layout.VMCS,
                            segment + "_ATTRIBUTES",
                            "GUEST_" + segment + "_AR_BYTES"));
            pairs.add(segment(Layout.VMCS, segment + "_LIMIT", "GUEST_" + segment + "_LIMIT"));
            pairs.add(segment(Layout.VMCS, segment + "_BASE", "GUEST_" + segment + "_BASE"));
        }
        return pairs;
    }

    /// CR0 and EFER are not among them: their fields hold what the hardware runs with, not what the guest sees.
    private static List<Pair> svm() {
        List<Pair> pairs = new ArrayList<>();
        String[][] plain = {
            {"RIP", "rip"},
            {"RSP", "rsp"},
            {"RAX", "rax"},
            {"RFLAGS", "rflags"},
            {"CR2", "cr2"},
            {"CR3", "cr3"},
            {"CR4", "cr4"},
            {"DR6", "dr6"},
            {"DR7", "dr7"},
            {"CPL", "cpl"},
            {"PAT", "g_pat"},
            {"DEBUGCTL", "dbgctl"},
            {"SYSENTER_CS", "sysenter_cs"},
            {"SYSENTER_ESP", "sysenter_esp"},
            {"SYSENTER_EIP", "sysenter_eip"},
            {"STAR", "star"},
            {"LSTAR", "lstar"},
            {"CSTAR", "cstar"},
            {"SYSCALL_MASK", "sfmask"},
            {"KERNEL_GS_BASE", "kernel_gs_base"},
            {"SPEC_CTRL", "spec_ctrl"},
            {"S_CET", "s_cet"},
            {"SSP", "ssp"},
            {"INT_SSP_TAB", "isst_addr"},
            {"GDTR_LIMIT", "gdtr.limit"},
            {"GDTR_BASE", "gdtr.base"},
            {"IDTR_LIMIT", "idtr.limit"},
            {"IDTR_BASE", "idtr.base"}
        };
        for (String[] pair : plain) {
            pairs.add(new Pair(Layout.VMCB, Reg.valueOf(pair[0]), pair[1]));
        }
        for (String segment : segments()) {
            String field = segment.toLowerCase(java.util.Locale.ROOT) + ".";
            pairs.add(segment(Layout.VMCB, segment + "_SELECTOR", field + "selector"));
            pairs.add(segment(Layout.VMCB, segment + "_ATTRIBUTES", field + "attrib"));
            pairs.add(segment(Layout.VMCB, segment + "_LIMIT", field + "limit"));
            pairs.add(segment(Layout.VMCB, segment + "_BASE", field + "base"));
        }
        return pairs;
    }

    private static String[] segments() {
        return new String[] {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};
    }

    private static Pair segment(Layout layout, String register, String field) {
        return new Pair(layout, Reg.valueOf(register), field);
    }
}
