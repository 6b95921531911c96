package trapline.engine.exit.svm;

import java.util.List;
import java.util.Map;
import trapline.engine.Check;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.InitialRegisters;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.svm.Vmcb.Intercept;
import trapline.engine.cpu.svm.VmrunChecks;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.SaveArea;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.exit.HostValues;
import trapline.engine.exit.Vcpu;
import trapline.engine.exit.VendorCode;
import trapline.engine.policy.Eraps.Flush;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Access;
import trapline.engine.policy.Policy.Phases;
import trapline.engine.policy.Policy.SvmControls;
import trapline.engine.policy.SpecCtrlForce;
import trapline.engine.policy.Step;
import trapline.engine.state.Image;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// KVM on AMD: `svm.c`.
public final class SvmCode implements VendorCode {

    private static final int MSRPM_PAGE = 1;
    private static final int IOPM_PAGE = 3;
    private static final int NPT_PAGE = 5;
    private static final long EFER_SVME = 1 << 12;
    private static final long NP_ENABLE = 1;
    private static final long V_VMLOAD_VMSAVE = 2;
    private static final long V_GIF_ENABLE = 1 << 25;
    private static final long V_NMI_ENABLE = 1 << 26;
    private static final long ERROR_CODE_VALID = 1 << 11;
    private static final long PAUSE_COUNT = 3000;
    private static final long PAUSE_THRESHOLD = 128;
    private static final int GP = 13;
    private static final int PF = 14;
    private static final long FLUSH_ASID = 3;
    private static final long CR3_NO_FLUSH = 1L << 63;
    private static final int SINGLE_CONTEXT = 1;

    /// `init_vmcb` without NPT.
    private static final List<String> SHADOW_PAGING =
            List.of("INTERCEPT_CR3_READ", "INTERCEPT_CR3_WRITE", "INTERCEPT_INVLPG");

    /// What 5.4 saves and restores of the host by RDMSR and WRMSR, besides GS_BASE.
    private static final int[] HOST_MSRS = {
        Msrs.STAR,
        Msrs.LSTAR,
        Msrs.CSTAR,
        Msrs.SYSCALL_MASK,
        Msrs.KERNEL_GS_BASE,
        Msrs.FS_BASE,
        Msrs.SYSENTER_CS,
        Msrs.SYSENTER_ESP,
        Msrs.SYSENTER_EIP,
        Msrs.TSC_AUX
    };

    private static final Reg[] GS_BASE = {Reg.GS_BASE};
    private static final Reg[] TR = {Reg.TR_SELECTOR, Reg.TR_ATTRIBUTES, Reg.TR_LIMIT, Reg.TR_BASE};
    private static final Reg[] LDTR = {
        Reg.LDTR_SELECTOR, Reg.LDTR_ATTRIBUTES, Reg.LDTR_LIMIT, Reg.LDTR_BASE
    };

    /// The base of FS goes back by WRMSR afterwards, that of GS is back already.
    private static final Reg[] FS = {Reg.FS_SELECTOR, Reg.FS_ATTRIBUTES, Reg.FS_LIMIT};

    private static final Reg[] GS_SELECTOR = {Reg.GS_SELECTOR, Reg.GS_ATTRIBUTES, Reg.GS_LIMIT};

    /// NW and CD.
    private static final long CR0_NO_CACHE = 3 << 29;

    private static final Field CR_WORD = Intercept.named("INTERCEPT_CR0_READ").word();
    private static final long CR0_ACCESSES =
            Intercept.named("INTERCEPT_CR0_READ").mask()
                    | Intercept.named("INTERCEPT_CR0_WRITE").mask();

    private static final Intercept[] DEBUG_REGISTERS = new Intercept[16];

    static {
        for (int i = 0; i < 8; i++) {
            DEBUG_REGISTERS[i] = Intercept.named("INTERCEPT_DR" + i + "_READ");
            DEBUG_REGISTERS[8 + i] = Intercept.named("INTERCEPT_DR" + i + "_WRITE");
        }
    }

    private static final Field DEBUG_WORD = DEBUG_REGISTERS[0].word();
    private static final long DEBUG_MASK = debugMask();
    private static final RegisterMap REGISTERS = RegisterMap.of(Vendor.SVM);

    private final Policy policy;
    private final NestedSvm nested;
    private final RapControl rap;
    private final WritesBuilder writes = new WritesBuilder();

    /// Whether the copy of the host's GS base comes from its save area rather than from the MSR.
    private final boolean gsBaseFromArea;

    /// Whether the user's GS base goes back with the selector; else it is the list's first.
    private final boolean userGsWithSelector;

    public SvmCode(Policy policy, VmrunChecks checks) {
        this.policy = policy;
        rap = new RapControl(policy);
        gsBaseFromArea = !phases().load().contains(Step.HOST_MSRS_READ);
        userGsWithSelector = phases().put().contains(Step.GS_LOAD);
        nested = new NestedSvm(policy, checks, rap);
    }

    private static long debugMask() {
        long mask = 0;
        for (Intercept register : DEBUG_REGISTERS) {
            mask |= register.mask();
        }
        return mask;
    }

    @Override
    public Phases phases() {
        return policy.vendors().svm().phases();
    }

    @Override
    public List<Access> passThrough() {
        return policy.vendors().svm().passThrough();
    }

    /// Writes a field, if that changes it.
    static void write(Vcpu v, int structure, Field field, long value) {
        Image vmcb = v.state().image(structure);
        long old = vmcb.get(field);
        long kept = value & field.mask();
        if (old != kept) {
            v.emit(new VmcbFieldWritten(structure, field.id(), old, kept));
        }
    }

    private static void writeCurrent(Vcpu v, Field field, long value) {
        write(v, v.state().currentStructure(), field, value);
    }

    @Override
    public void create(Vcpu v) {
        intercepts(v);
        write(v, 1, Vmcb.IOPM, HostValues.page(0, IOPM_PAGE));
        write(v, 1, Vmcb.MSRPM, HostValues.page(v.id(), MSRPM_PAGE));
        boolean vgif = v.setup().platform().has("VGIF");
        boolean vnmi =
                vgif
                        && v.setup().platform().has("VNMI")
                        && policy.vendors().svm().controls().virtualNmi();
        long control = Vmcb.V_INTR_MASKING | (vgif ? V_GIF_ENABLE : 0);
        write(v, 1, Vmcb.INT_CONTROL, control | (vnmi ? V_NMI_ENABLE : 0));
        if (v.setup().npt()) {
            write(v, 1, Vmcb.NESTED_CONTROL, NP_ENABLE);
            write(v, 1, Vmcb.NESTED_CR3, HostValues.page(0, NPT_PAGE));
        }
        if (virtualVmload(v)) {
            write(v, 1, Vmcb.VIRT_EXT, V_VMLOAD_VMSAVE);
        }
        if (v.setup().platform().has("PAUSEFILTER")) {
            write(v, 1, Vmcb.PAUSE_COUNT, PAUSE_COUNT);
            boolean threshold = v.setup().platform().has("PFTHRESHOLD");
            write(v, 1, Vmcb.PAUSE_THRESHOLD, threshold ? PAUSE_THRESHOLD : 0);
        }
        rap.create(v);
        registers(v);
    }

    /// Virtual VMLOAD and VMSAVE need nested page tables.
    private static boolean virtualVmload(Vcpu v) {
        return v.setup().npt() && v.setup().platform().has("V_VMSAVE_VMLOAD");
    }

    private void intercepts(Vcpu v) {
        SvmControls choice = policy.vendors().svm().controls();
        long[] words = new long[6];
        for (String name : choice.always()) {
            set(words, name, true);
        }
        for (Map.Entry<String, List<String>> entry : choice.ifPlatform().entrySet()) {
            set(words, entry.getKey(), v.setup().platform().hasAll(entry.getValue()));
        }
        for (Map.Entry<String, List<String>> entry : choice.unlessPlatform().entrySet()) {
            set(words, entry.getKey(), !hasAll(v, entry.getValue()));
        }
        for (Map.Entry<String, List<String>> entry : choice.unlessGuest().entrySet()) {
            boolean there = v.setup().platform().hasAll(entry.getValue());
            set(words, entry.getKey(), there && !v.setup().model().hasAll(entry.getValue()));
        }
        for (String name : choice.unlessGuestSvme()) {
            set(words, name, true);
        }
        if (!v.setup().npt()) {
            shadowPaging(v, words);
        }
        for (int vector : choice.exceptions()) {
            words[2] |= 1L << vector;
        }
        words[DEBUG_WORD.ordinal()] |= DEBUG_MASK;
        for (int i = 0; i < words.length; i++) {
            write(v, 1, Layout.VMCB.field(4 * i), words[i]);
        }
    }

    /// What the hypervisor has to see where its own page tables stand for the guest's.
    private static void shadowPaging(Vcpu v, long[] words) {
        for (String name : SHADOW_PAGING) {
            set(words, name, true);
        }
        set(words, "INTERCEPT_INVPCID", v.setup().platform().has("INVPCID"));
        words[2] |= 1L << PF;
    }

    /// Whether the host has all of some features, as KVM may use them.
    private static boolean hasAll(Vcpu v, List<String> features) {
        return v.setup().platform().hasAll(features)
                && (v.setup().npt() || !features.contains("V_VMSAVE_VMLOAD"));
    }

    private static void set(long[] words, String name, boolean on) {
        Intercept intercept = Intercept.named(name);
        words[intercept.word().ordinal()] |= on ? intercept.mask() : 0;
    }

    /// Userspace's registers: those with a field into it, the others where KVM keeps them.
    private void registers(Vcpu v) {
        Map<Reg, Long> initial = InitialRegisters.of(Vendor.SVM, v.setup().supervisor().hostXcr0());
        writes.on(v.state(), v.state().image(1));
        for (Map.Entry<Reg, Long> register : initial.entrySet()) {
            if (REGISTERS.field(register.getKey()) == null) {
                writes.register(register.getKey(), register.getValue());
            }
        }
        v.emit(new RegistersChanged(writes.done()));
        for (Map.Entry<Reg, Long> register : initial.entrySet()) {
            Field field = REGISTERS.field(register.getKey());
            if (field != null) {
                write(v, 1, field, register.getValue());
            }
        }
        storeControlRegister(v, 0, v.state().register(Reg.CR0));
        efer(v, v.state().register(Reg.EFER));
    }

    /// SVME is always on in the VMCB; the guest's own bit is KVM's to show.
    private void efer(Vcpu v, long value) {
        writeCurrent(v, Vmcb.EFER, value | EFER_SVME);
        boolean guestSvme = (value & EFER_SVME) != 0;
        for (String name : policy.vendors().svm().controls().unlessGuestSvme()) {
            Intercept intercept = Intercept.named(name);
            List<String> features = policy.vendors().svm().controls().unlessPlatform().get(name);
            boolean on = !guestSvme || features == null || !hasAll(v, features);
            long word = v.state().image(1).get(intercept.word()) & ~intercept.mask();
            write(v, 1, intercept.word(), word | (on ? intercept.mask() : 0));
        }
    }

    /// A new pCPU means a new ASID, and nothing that the old one cached.
    @Override
    public void loadedElsewhere(Vcpu v) {
        write(v, 1, Vmcb.ASID, v.pcpu().nextAsid());
        write(v, 1, Vmcb.CLEAN, 0);
        write(v, 2, Vmcb.ASID, v.state().level() == 2 ? v.pcpu().nextAsid() : 0);
        write(v, 2, Vmcb.CLEAN, 0);
        rap.newAsid(v);
    }

    /// `svm_flush_tlb_asid`.
    static void flushAsid(Vcpu v) {
        if (v.setup().platform().has("FLUSHBYASID")) {
            writeCurrent(v, Vmcb.TLB_CONTROL, FLUSH_ASID);
        } else {
            writeCurrent(v, Vmcb.ASID, v.pcpu().nextAsid());
        }
    }

    @Override
    public void scheduledOut(Vcpu v, boolean preempted) {
        rap.scheduledOut(v, preempted);
    }

    @Override
    public void scheduledIn(Vcpu v, boolean followsItself) {
        rap.scheduledIn(v, followsItself);
    }

    @Override
    public void exited(Vcpu v) {
        rap.exited(v);
    }

    /// `kvm_handle_invpcid` and INVLPG: what is more than one address flushes, for one context or for all.
    @Override
    public void invalidate(Vcpu v, GuestOp.TlbInvalidate op) {
        if (op.instruction() == TlbInstruction.INVPCID && op.type() == SINGLE_CONTEXT) {
            rap.dirty(v, Flush.INVPCID, RapCause.INVPCID);
        } else if (op.instruction() == TlbInstruction.INVPCID && op.type() > SINGLE_CONTEXT) {
            rap.dirty(v, Flush.GUEST_TLB_FLUSH, RapCause.GUEST_TLB_FLUSH);
            flushAsid(v);
        }
    }

    @Override
    public void run(Step step, Vcpu v) {
        switch (step) {
            case WRITE_DIRTY_REGISTERS -> {
                writeCurrent(v, Vmcb.RAX, v.state().register(Reg.RAX));
                writeCurrent(v, Vmcb.RSP, v.state().register(Reg.RSP));
                writeCurrent(v, Vmcb.RIP, v.state().register(Reg.RIP));
                writeCurrent(v, Vmcb.CR2, v.state().register(Reg.CR2));
                rap.beforeRun(v);
            }
            case HOST_MSRS_READ -> {
                v.hostRead(Msrs.GS_BASE, HostCause.LOAD);
                for (int msr : HOST_MSRS) {
                    v.hostRead(msr, HostCause.LOAD);
                }
                v.hostWrite(Msrs.TSC_AUX, v.state().msr(Msrs.TSC_AUX), HostCause.LOAD);
            }
            case HOST_MSRS_WRITE -> {
                if (!userGsWithSelector) {
                    v.hostWrite(Msrs.KERNEL_GS_BASE, HostValues.USER_GS_BASE, HostCause.PUT);
                }
                for (int msr : HOST_MSRS) {
                    v.hostWrite(msr, v.copy(msr), HostCause.PUT);
                }
            }
            case GS_BASE_RESTORE ->
                    v.hostWrite(Msrs.GS_BASE, gsBaseCopy(v), HostCause.EXIT_RESTORE);
            case WRGSBASE -> {
                if (v.setup().platform().has("FSGSBASE")) {
                    load(v, HostInstruction.WRGSBASE, GS_BASE);
                } else {
                    v.hostWrite(Msrs.GS_BASE, v.hostValue(Msrs.GS_BASE), HostCause.EXIT_RESTORE);
                }
            }
            case TR_RELOAD -> load(v, HostInstruction.LTR, TR);
            case LDT_LOAD -> load(v, HostInstruction.LLDT, LDTR);
            case FS_LOAD -> load(v, HostInstruction.MOV_FS, FS);
            case GS_LOAD -> {
                v.hostWrite(Msrs.KERNEL_GS_BASE, HostValues.USER_GS_BASE, HostCause.PUT);
                load(v, HostInstruction.MOV_GS, GS_SELECTOR);
            }
            case TSC_AUX_READ -> v.hostRead(Msrs.TSC_AUX, HostCause.LOAD);
            case TSC_AUX_LOAD ->
                    v.hostWrite(Msrs.TSC_AUX, v.state().msr(Msrs.TSC_AUX), HostCause.LOAD);
            case TSC_AUX_PUT -> v.hostWrite(Msrs.TSC_AUX, v.copy(Msrs.TSC_AUX), HostCause.PUT);
            case HOST_STATE_SAVE -> v.emit(new HostStateSaved(SaveArea.HOST, Writes.NONE));
            case VMLOAD_GUEST -> v.emit(new HostStateLoaded(SaveArea.VMCB01));
            case VMLOAD_HOST -> v.emit(new HostStateLoaded(SaveArea.HOST));
            case VMSAVE_GUEST -> v.emit(new HostStateSaved(SaveArea.VMCB01, vmsave(v)));
            case MARK_CLEAN -> {
                writeCurrent(v, Vmcb.TLB_CONTROL, 0);
                rap.afterRun(v);
                writeCurrent(v, Vmcb.CLEAN, policy.vendors().svm().controls().clean());
            }
            default -> Check.that(false, "SVM has no step %s", step);
        }
    }

    private long gsBaseCopy(Vcpu v) {
        return gsBaseFromArea ? v.pcpu().savedRegister(Reg.GS_BASE) : v.copy(Msrs.GS_BASE);
    }

    /// One of the host's registers or segments, as the host has it.
    private static void load(Vcpu v, HostInstruction instruction, Reg[] registers) {
        int[] places = new int[registers.length];
        long[] values = new long[registers.length];
        for (int i = 0; i < registers.length; i++) {
            places[i] = registers[i].place();
            values[i] = v.pcpu().hostRegister(registers[i]);
        }
        v.emit(new HostRegistersLoaded(instruction, Writes.of(places, values)));
    }

    /// What VMSAVE stores is what the hardware holds: the guest's, unless a policy has loaded something else first.
    private Writes vmsave(Vcpu v) {
        writes.on(v.state(), v.state().image(1));
        if (v.pcpu().holdsAllOf(v.state())) {
            return writes.registers(v.machine().vmsaveStores()).done();
        }
        for (Reg register : v.machine().vmsaveStores().registers()) {
            writes.field(REGISTERS.field(register), v.pcpu().register(register));
        }
        return writes.done();
    }

    @Override
    public void inject(Vcpu v, int vector, EventType type) {
        boolean exception = type == EventType.EXCEPTION;
        boolean errorCode = exception && vector == GP;
        v.emit(new EventInjected(vector, type, 0));
        long event = Vmcb.VALID | vector | (exception ? Vmcb.EXCEPTION : 0);
        writeCurrent(v, Vmcb.EVENT_INJ, event | (errorCode ? ERROR_CODE_VALID : 0));
    }

    @Override
    public boolean injecting(Vcpu v) {
        return v.state().current().has(Vmcb.EVENT_INJ, Vmcb.VALID);
    }

    /// KVM asks 02's own map while L2 runs, also where the hardware still uses 01's.
    @Override
    public boolean writesExit(Vcpu v, int msr) {
        return v.state().bitmap(v.state().currentStructure()).exits(msr, true);
    }

    @Override
    public void storeVirtualSpecCtrl(Vcpu v, long value) {
        writeCurrent(v, Vmcb.SPEC_CTRL, value);
    }

    @Override
    public void storeTraceControl(Vcpu v, long value) {
        Check.that(false, "SVM has no Processor Trace");
    }

    @Override
    public SpecCtrlForce specCtrlForce() {
        return SpecCtrlForce.NONE;
    }

    @Override
    public void writeSpecCtrlShadow(Vcpu v, long value) {
        Check.that(false, "SVM does not shadow SPEC_CTRL");
    }

    @Override
    public void readSpecCtrlShadow(Vcpu v) {
        Check.that(false, "SVM does not shadow SPEC_CTRL");
    }

    @Override
    public void writeSpecCtrlMask(Vcpu v, long mask) {
        Check.that(false, "SVM does not mask SPEC_CTRL");
    }

    @Override
    public boolean emulatesVirtualMsrs() {
        return false;
    }

    @Override
    public void storeRegister(Vcpu v, int msr, Reg register, long value) {
        if (register == Reg.EFER) {
            efer(v, value);
            return;
        }
        Field field = REGISTERS.field(register);
        write(v, field.vmload() ? 1 : v.state().currentStructure(), field, value);
    }

    @Override
    public void storeControlRegister(Vcpu v, int cr, long value) {
        switch (cr) {
            case 0 -> cr0(v, value);
            case 3 -> {
                rap.dirty(v, Flush.CR3_WRITE, RapCause.CR3_WRITE);
                writeCurrent(v, Vmcb.CR3, value & ~CR3_NO_FLUSH);
            }
            case 4 -> writeCurrent(v, Vmcb.CR4, value);
            default -> {}
        }
    }

    /// Hardware runs with caches on; while the guest has them off, each of its accesses exits (`svm_set_cr0`).
    static void cr0(Vcpu v, long value) {
        int structure = v.state().currentStructure();
        write(v, structure, Vmcb.CR0, value & ~CR0_NO_CACHE);
        long wanted = (value & CR0_NO_CACHE) != 0 ? CR0_ACCESSES : 0;
        if (structure == 2) {
            wanted |= v.state().image(12).get(CR_WORD) & CR0_ACCESSES;
        }
        write(
                v,
                structure,
                CR_WORD,
                (v.state().image(structure).get(CR_WORD) & ~CR0_ACCESSES) | wanted);
    }

    @Override
    public void passDebugRegisters(Vcpu v) {
        long word = v.state().current().get(DEBUG_WORD);
        writeCurrent(v, DEBUG_WORD, word & ~DEBUG_MASK);
    }

    @Override
    public void interceptDebugRegisters(Vcpu v) {
        writeCurrent(v, DEBUG_WORD, v.state().current().get(DEBUG_WORD) | DEBUG_MASK);
    }

    @Override
    public void growPauseWindow(Vcpu v) {
        long count = v.state().current().get(Vmcb.PAUSE_COUNT);
        writeCurrent(v, Vmcb.PAUSE_COUNT, Math.min(2 * count, Vmcb.PAUSE_COUNT.mask()));
    }

    @Override
    public boolean wantedByL1(Exit exit, GuestOp op, Vcpu v) {
        return nested.wantedByL1(exit, op, v);
    }

    @Override
    public void exitToL1(Vcpu v) {
        nested.exitToL1(v);
    }

    @Override
    public void enterL2(Vcpu v, GuestOp.EnterNested op) {
        nested.enterL2(v, op);
    }

    @Override
    public void mergeBitmaps(Vcpu v) {
        nested.merge(v);
    }

    @Override
    public Outcome execute(Vcpu v, GuestOp.VmOp op) {
        return nested.execute(v, op);
    }

    @Override
    public long read(Vcpu v, GuestOp.VmOp op) {
        return op.value();
    }
}
