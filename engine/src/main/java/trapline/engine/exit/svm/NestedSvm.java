package trapline.engine.exit.svm;

import java.util.List;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.cpu.svm.SvmExit;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.svm.Vmcb.Intercept;
import trapline.engine.cpu.svm.VmrunChecks;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.exit.HostValues;
import trapline.engine.exit.Vcpu;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Ibpb;
import trapline.engine.state.Image;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// Nested virtualization on AMD: `nested.c` of SVM.
final class NestedSvm {

    private static final Intercept MSR_PROT = Intercept.named("INTERCEPT_MSR_PROT");
    private static final Intercept CPUID = Intercept.named("INTERCEPT_CPUID");
    private static final Intercept HLT = Intercept.named("INTERCEPT_HLT");
    private static final Intercept IDLE_HLT = Intercept.named("INTERCEPT_IDLE_HLT");
    private static final Intercept IOIO = Intercept.named("INTERCEPT_IOIO_PROT");
    private static final Intercept VMMCALL = Intercept.named("INTERCEPT_VMMCALL");
    private static final Intercept XSETBV = Intercept.named("INTERCEPT_XSETBV");
    private static final Intercept PAUSE = Intercept.named("INTERCEPT_PAUSE");
    private static final Intercept VMRUN = Intercept.named("INTERCEPT_VMRUN");
    private static final Intercept SELECTIVE_CR0 = Intercept.named("INTERCEPT_SELECTIVE_CR0");
    private static final Intercept INVPCID = Intercept.named("INTERCEPT_INVPCID");
    private static final Intercept INVLPG = Intercept.named("INTERCEPT_INVLPG");
    private static final Intercept VMLOAD = Intercept.named("INTERCEPT_VMLOAD");
    private static final Intercept VMSAVE = Intercept.named("INTERCEPT_VMSAVE");

    private static final int MSRPM_PAGE_02 = 2;
    private static final int NPT_PAGE_02 = 6;
    private static final int WORDS = 6;
    private static final long EFER_SVME = 1 << 12;
    private static final long V_VMLOAD_VMSAVE = 2;

    private static final RegisterMap REGISTERS = RegisterMap.of(Vendor.SVM);

    private final Policy policy;
    private final VmrunChecks checks;
    private final RapControl rap;
    private final WritesBuilder writes = new WritesBuilder();

    NestedSvm(Policy policy, VmrunChecks checks, RapControl rap) {
        this.policy = policy;
        this.checks = checks;
        this.rap = rap;
    }

    /// VMLOAD and VMSAVE by L1: between its VMCB and vmcb01, which holds what they move.
    Outcome execute(Vcpu v, GuestOp.VmOp op) {
        if ((v.state().register(Reg.EFER) & EFER_SVME) == 0) {
            return Outcome.UD;
        }
        boolean load = op.instruction() == VmInstruction.VMLOAD;
        for (Field field : Layout.VMCB.fields()) {
            if (field.vmload()) {
                int from = load ? 12 : 1;
                write(v, load ? 1 : 12, field, v.state().image(from).get(field));
            }
        }
        return Outcome.DONE;
    }

    private static void write(Vcpu v, int structure, Field field, long value) {
        SvmCode.write(v, structure, field, value);
    }

    /// VMRUN: check vmcb12, build vmcb02, and L2 is the guest.
    void enterL2(Vcpu v, GuestOp.EnterNested op) {
        v.set(Kvm.CURRENT_12, op.address() + 1);
        keepL1(v);
        String failed = checks.firstFailure(v.state().image(12));
        v.emit(new NestedEntered(op.rip(), op.instruction(), op.address(), Outcome.DONE));
        if (failed != null) {
            v.emit(new VmEntryFailed(2, failed, SvmExit.INVALID, Writes.NONE));
            leave(v, SvmExit.INVALID, 0, 0, false);
            return;
        }
        prepare02(v, merge(v));
    }

    /// Makes 02's map, and says whether it is used: 01's is where L1 intercepts no MSRs.
    boolean merge(Vcpu v) {
        boolean used = MSR_PROT.in(v.state().image(12));
        if (used) {
            mergeMaps(v);
        }
        v.emit(new NestedBitmapMerged(used));
        return used;
    }

    /// KVM emulates VMRUN's save of the host: L1's registers go to vmcb01, behind the VMRUN.
    private static void keepL1(Vcpu v) {
        write(v, 1, Vmcb.RIP, v.state().register(Reg.RIP) + 3);
        write(v, 1, Vmcb.RSP, v.state().register(Reg.RSP));
        write(v, 1, Vmcb.RAX, v.state().register(Reg.RAX));
        write(v, 1, Vmcb.RFLAGS, v.state().register(Reg.RFLAGS));
        write(v, 1, Vmcb.CR0, v.state().register(Reg.CR0));
    }

    private void prepare02(Vcpu v, boolean ownMap) {
        Image vmcb01 = v.state().image(1);
        Image vmcb12 = v.state().image(12);
        for (Field field : Layout.VMCB.fields()) {
            if (field.area() == Field.Area.GUEST && !field.vmload() && !field.equals(Vmcb.CR0)) {
                boolean shared = field.equals(Vmcb.SPEC_CTRL);
                write(v, 2, field, (shared ? vmcb01 : vmcb12).get(field));
            }
        }
        boolean virtualVmload = virtualVmload(v, vmcb12);
        for (int i = 0; i < WORDS; i++) {
            Field word = Layout.VMCB.field(4 * i);
            write(v, 2, word, of01(vmcb01, word, virtualVmload) | vmcb12.get(word));
        }
        SvmCode.cr0(v, vmcb12.get(Vmcb.CR0));
        write(v, 2, Vmcb.VIRT_EXT, virtualVmload ? V_VMLOAD_VMSAVE : 0);
        write(v, 2, Vmcb.IOPM, vmcb01.get(Vmcb.IOPM));
        long ownPage = HostValues.page(v.id(), MSRPM_PAGE_02);
        write(v, 2, Vmcb.MSRPM, ownMap ? ownPage : vmcb01.get(Vmcb.MSRPM));
        if (v.state().image(2).get(Vmcb.ASID) == 0) {
            write(v, 2, Vmcb.ASID, v.pcpu().nextAsid());
        }
        write(v, 2, Vmcb.INT_CONTROL, vmcb01.get(Vmcb.INT_CONTROL));
        write(v, 2, Vmcb.NESTED_CONTROL, vmcb01.get(Vmcb.NESTED_CONTROL));
        if (v.setup().npt()) {
            write(v, 2, Vmcb.NESTED_CR3, HostValues.page(v.id(), NPT_PAGE_02));
        }
        write(v, 2, Vmcb.EVENT_INJ, vmcb12.get(Vmcb.EVENT_INJ));
        write(v, 2, Vmcb.PAUSE_COUNT, vmcb01.get(Vmcb.PAUSE_COUNT));
        write(v, 2, Vmcb.PAUSE_THRESHOLD, vmcb01.get(Vmcb.PAUSE_THRESHOLD));
        rap.enterL2(v);
        if (policy.merge().svm().transitionFlush()) {
            SvmCode.flushAsid(v);
        }
        v.emit(new RegistersChanged(guestRegisters(v, vmcb12)));
    }

    /// L0's own intercepts for L2: of VMLOAD and VMSAVE too, which would else move what the host has.
    private long of01(Image vmcb01, Field word, boolean virtualVmload) {
        long wanted = vmcb01.get(word);
        for (String name : policy.merge().svm().onlyFrom12()) {
            Intercept intercept = Intercept.named(name);
            wanted &= intercept.word().equals(word) ? ~intercept.mask() : -1;
        }
        if (word.equals(VMLOAD.word())) {
            long both = VMLOAD.mask() | VMSAVE.mask();
            wanted = virtualVmload ? wanted & ~both : wanted | both;
        }
        return wanted;
    }

    /// Whether L1 gives L2 virtual VMLOAD and VMSAVE, and L0 goes along.
    private boolean virtualVmload(Vcpu v, Image vmcb12) {
        return policy.merge().svm().virtualVmload()
                && v.setup().npt()
                && v.setup().platform().has("V_VMSAVE_VMLOAD")
                && v.setup().model().has("V_VMSAVE_VMLOAD")
                && vmcb12.has(Vmcb.VIRT_EXT, V_VMLOAD_VMSAVE);
    }

    private Writes guestRegisters(Vcpu v, Image from) {
        writes.on(v.state(), from);
        for (Field field : Layout.VMCB.fields()) {
            Reg register = REGISTERS.register(field);
            if (register != null && !field.vmload() && register != Reg.SPEC_CTRL) {
                writes.bareRegister(register, from.get(field));
            }
        }
        return writes.bareRegister(Reg.CR0, from.get(Vmcb.CR0))
                .bareRegister(Reg.EFER, from.get(Vmcb.EFER))
                .done();
    }

    /// FACTS 1.10: every word of the map that holds a listed MSR is the union of 01's and 12's.
    private void mergeMaps(Vcpu v) {
        MsrBitmap map01 = v.state().bitmap(1);
        MsrBitmap map12 = v.state().bitmap(12);
        MsrBitmap map02 = v.state().bitmap(2);
        int perWord = policy.merge().svm().wordBits() / 2;
        for (int listed : wordsOf(policy.merge().svm().msrs(), perWord)) {
            for (int i = 0; i < perWord; i++) {
                int msr = listed + i;
                boolean read = map01.exits(msr, false) || map12.exits(msr, false);
                boolean write = map01.exits(msr, true) || map12.exits(msr, true);
                if (read != map02.exits(msr, false) || write != map02.exits(msr, true)) {
                    v.emit(new MsrInterceptChanged(2, msr, read, write));
                }
            }
        }
    }

    /// The first MSR of each word that holds a listed one, each once.
    private static int[] wordsOf(List<Integer> msrs, int perWord) {
        return msrs.stream().mapToInt(msr -> msr & -perWord).sorted().distinct().toArray();
    }

    /// `nested_svm_exit_handled`.
    boolean wantedByL1(Exit exit, GuestOp op, Vcpu v) {
        Image vmcb12 = v.state().image(12);
        return switch (exit) {
            case Exit.Rdmsr e -> MSR_PROT.in(vmcb12) && v.state().bitmap(12).exits(e.msr(), false);
            case Exit.Wrmsr e -> MSR_PROT.in(vmcb12) && v.state().bitmap(12).exits(e.msr(), true);
            case Exit.Cpuid _ -> CPUID.in(vmcb12);
            case Exit.Hlt _ -> HLT.in(vmcb12) || IDLE_HLT.in(vmcb12);
            case Exit.Io _ -> IOIO.in(vmcb12);
            case Exit.Hypercall _ -> VMMCALL.in(vmcb12);
            case Exit.CrWrite e ->
                    Intercept.write("CR", e.cr()).in(vmcb12) || selective(e, v, vmcb12);
            case Exit.DrWrite e -> Intercept.write("DR", e.dr()).in(vmcb12);
            case Exit.Xsetbv _ -> XSETBV.in(vmcb12);
            case Exit.Pause _ -> PAUSE.in(vmcb12);
            case Exit.EnterNested _ -> VMRUN.in(vmcb12);
            case Exit.VmOp e ->
                    (e.instruction() == VmInstruction.VMLOAD ? VMLOAD : VMSAVE).in(vmcb12);
            case Exit.Invpcid _ -> INVPCID.in(vmcb12);
            case Exit.Invlpg _ -> INVLPG.in(vmcb12);
            case Exit.OnlyNested _ -> true;
            case Exit.NestedPageFault _,
                    Exit.ApicAccess _,
                    Exit.MoveState _,
                    Exit.UndefinedOpcode _,
                    Exit.ExternalInterrupt _ ->
                    false;
        };
    }

    /// L1's selective intercept of CR0: writes that change more than TS and MP.
    private static boolean selective(Exit.CrWrite e, Vcpu v, Image vmcb12) {
        return e.cr() == 0
                && SELECTIVE_CR0.in(vmcb12)
                && ((e.value() ^ v.state().register(Reg.CR0)) & ~0xaL) != 0;
    }

    /// The exit that vmcb02 holds becomes L1's.
    void exitToL1(Vcpu v) {
        rap.reflected(v);
        Image vmcb02 = v.state().image(2);
        for (Field field : Layout.VMCB.fields()) {
            if (field.area() == Field.Area.GUEST
                    && !field.vmload()
                    && !field.equals(Vmcb.SPEC_CTRL)) {
                boolean seen = field.equals(Vmcb.CR0);
                write(v, 12, field, seen ? v.state().register(Reg.CR0) : vmcb02.get(field));
            }
        }
        write(v, 12, Vmcb.NEXT_RIP, vmcb02.get(Vmcb.NEXT_RIP));
        leave(
                v,
                vmcb02.get(Vmcb.EXIT_CODE),
                vmcb02.get(Vmcb.EXIT_INFO_1),
                vmcb02.get(Vmcb.EXIT_INFO_2),
                true);
    }

    private void leave(Vcpu v, long code, long info1, long info2, boolean ran) {
        write(v, 12, Vmcb.EXIT_CODE, code);
        write(v, 12, Vmcb.EXIT_INFO_1, info1);
        write(v, 12, Vmcb.EXIT_INFO_2, info2);
        v.emit(new NestedExited(code, info1));
        if (ran) {
            rap.exitL2(v);
            if (policy.merge().svm().transitionFlush()) {
                SvmCode.flushAsid(v);
            }
            write(v, 1, Vmcb.SPEC_CTRL, v.state().image(2).get(Vmcb.SPEC_CTRL));
        }
        v.emit(new RegistersChanged(guestRegisters(v, v.state().image(1))));
        SvmCode.cr0(v, v.state().register(Reg.CR0));
        boolean barrier =
                ran
                        && policy.ibpb().nestedExit() == Ibpb.NestedExit.IF_GUEST_HAS_IBRS
                        && (v.setup().model().has("SPEC_CTRL") || v.setup().model().has("AMD_IBRS"))
                        && !v.setup().platform().has("AMD_IBRS_SAME_MODE");
        if (barrier) {
            v.barrier();
        }
    }
}
