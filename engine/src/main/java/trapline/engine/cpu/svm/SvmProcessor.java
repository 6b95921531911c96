package trapline.engine.cpu.svm;

import trapline.engine.Check;
import trapline.engine.cpu.ControlRegisters;
import trapline.engine.cpu.Execute;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.Operands;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Processor;
import trapline.engine.cpu.World;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.cpu.svm.Vmcb.Intercept;
import trapline.engine.event.Emitter;
import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.state.Image;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// An AMD processor between VMRUN and #VMEXIT (APM vol. 2, chapter 15).
public final class SvmProcessor implements Processor {

    private static final Intercept INTR = Intercept.named("INTERCEPT_INTR");
    private static final Intercept SELECTIVE_CR0 = Intercept.named("INTERCEPT_SELECTIVE_CR0");
    private static final Intercept RDTSC = Intercept.named("INTERCEPT_RDTSC");
    private static final Intercept CPUID = Intercept.named("INTERCEPT_CPUID");
    private static final Intercept PAUSE = Intercept.named("INTERCEPT_PAUSE");
    private static final Intercept HLT = Intercept.named("INTERCEPT_HLT");
    private static final Intercept IDLE_HLT = Intercept.named("INTERCEPT_IDLE_HLT");
    private static final Intercept INVLPG = Intercept.named("INTERCEPT_INVLPG");
    private static final Intercept IOIO = Intercept.named("INTERCEPT_IOIO_PROT");
    private static final Intercept MSR_PROT = Intercept.named("INTERCEPT_MSR_PROT");
    private static final Intercept VMRUN = Intercept.named("INTERCEPT_VMRUN");
    private static final Intercept VMMCALL = Intercept.named("INTERCEPT_VMMCALL");
    private static final Intercept VMLOAD = Intercept.named("INTERCEPT_VMLOAD");
    private static final Intercept VMSAVE = Intercept.named("INTERCEPT_VMSAVE");
    private static final Intercept XSETBV = Intercept.named("INTERCEPT_XSETBV");
    private static final Intercept INVPCID = Intercept.named("INTERCEPT_INVPCID");
    private static final Intercept[] CR_WRITES = new Intercept[9];
    private static final Intercept[] DR_WRITES = new Intercept[8];

    static {
        for (int cr : new int[] {0, 3, 4, 8}) {
            CR_WRITES[cr] = Intercept.write("CR", cr);
        }
        for (int dr = 0; dr < 8; dr++) {
            DR_WRITES[dr] = Intercept.write("DR", dr);
        }
    }

    private static final long EFER_SVME = 1 << 12;
    private static final long NP_ENABLE = 1;
    private static final int SINGLE_ADDRESS = 0;
    private static final RapCause[] CAUSES = RapCause.values();

    /// EXITINFO1 of MOV to a control register with decode assists: it was a MOV, from RAX.
    private static final long MOV_CR = 1L << 63;

    private final MachineState machine;
    private final Platform platform;
    private final Execute execute;
    private final VmrunChecks checks;
    private final WritesBuilder writes = new WritesBuilder();

    /// Whether there is a return-address predictor that tags entries, and what clears it.
    private final boolean eraps;

    private final boolean ibpbClears;
    private final boolean tlbControlClears;
    private final boolean vmrunResetsClear;

    public SvmProcessor(MachineState machine, Platform platform, World world) {
        this.machine = machine;
        this.platform = platform;
        execute = new Execute(machine, platform, world);
        checks = new VmrunChecks(machine);
        eraps = platform.has("ERAPS");
        ibpbClears = eraps && platform.predictor().ibpbClears();
        tlbControlClears = platform.predictor().tlbControlClears();
        vmrunResetsClear = eraps && platform.predictor().vmrunResetsClear();
    }

    @Override
    public Exit execute(GuestOp op, VcpuState vcpu, Emitter out) {
        Image vmcb = vcpu.current();
        return switch (op) {
            case GuestOp.Run o -> execute.run(o, out);
            case GuestOp.Wrmsr o -> {
                if (msrExits(vmcb, vcpu, o.msr(), true)) {
                    exit(SvmExit.MSR, 1, 0, op, vcpu, out);
                    yield new Exit.Wrmsr(o.msr(), o.value());
                }
                if (ibpbClears && o.msr() == Msrs.PRED_CMD && (o.value() & 1) != 0) {
                    clearReturns(RapCause.IBPB, vcpu, out);
                }
                yield execute.wrmsr(o, vcpu, out);
            }
            case GuestOp.Rdmsr o -> {
                if (msrExits(vmcb, vcpu, o.msr(), false)) {
                    exit(SvmExit.MSR, 0, 0, op, vcpu, out);
                    yield new Exit.Rdmsr(o.msr());
                }
                yield execute.rdmsr(o, vcpu, out);
            }
            case GuestOp.Cpuid o -> {
                Check.that(CPUID.in(vmcb), "CPUID is not intercepted");
                exit(SvmExit.CPUID, 0, 0, op, vcpu, out);
                yield new Exit.Cpuid(o.leaf(), o.subleaf());
            }
            case GuestOp.Hlt o -> hlt(o, vmcb, vcpu, out);
            case GuestOp.Io o -> {
                Check.that(IOIO.in(vmcb), "I/O is not intercepted");
                exit(SvmExit.IOIO, SvmExit.ioInfo(o), o.rip() + o.length(), op, vcpu, out);
                yield new Exit.Io(o.port(), o.size(), o.write(), o.value());
            }
            case GuestOp.Mmio o -> {
                boolean reserved = machine.vm().mmioFrames().contains(o.address() >>> 12);
                boolean npt = vmcb.has(Vmcb.NESTED_CONTROL, NP_ENABLE);
                long info = SvmExit.pageFaultInfo(reserved, o.write(), npt);
                long code = npt ? SvmExit.NPF : SvmExit.EXCEPTION + SvmExit.PF_VECTOR;
                exit(code, info, o.address(), op, vcpu, out);
                yield new Exit.NestedPageFault(o.address(), o.size(), o.write(), o.value());
            }
            case GuestOp.Hypercall o -> {
                if (!o.vmmcall() || !VMMCALL.in(vmcb)) {
                    yield undefined(op, vcpu, out);
                }
                exit(SvmExit.VMMCALL, 0, 0, op, vcpu, out);
                yield new Exit.Hypercall(true, o.number());
            }
            case GuestOp.MovToCr o -> movToCr(o, vmcb, vcpu, out);
            case GuestOp.MovToDr o -> {
                if (DR_WRITES[o.dr()].in(vmcb)) {
                    exit(SvmExit.WRITE_DR0 + o.dr(), 0, 0, op, vcpu, out);
                    yield new Exit.DrWrite(o.dr(), o.value());
                }
                yield execute.movToDr(o, out);
            }
            case GuestOp.TlbInvalidate o -> tlbInvalidate(o, vmcb, vcpu, out);
            case GuestOp.Rdtsc o -> {
                if (RDTSC.in(vmcb)) {
                    exit(SvmExit.RDTSC, 0, 0, op, vcpu, out);
                    yield new Exit.OnlyNested();
                }
                yield execute.rdtsc(o, vcpu, out);
            }
            case GuestOp.Xsetbv o -> {
                Check.that(XSETBV.in(vmcb), "XSETBV is not intercepted");
                exit(SvmExit.XSETBV, 0, 0, op, vcpu, out);
                yield new Exit.Xsetbv(o.xcr(), o.value());
            }
            case GuestOp.Pause o -> {
                if (PAUSE.in(vmcb) && filterRunsOut(vcpu)) {
                    exit(SvmExit.PAUSE, 0, 0, op, vcpu, out);
                    yield new Exit.Pause();
                }
                yield execute.pause(o, out);
            }
            case GuestOp.MoveState o -> {
                if (!platform.has("XSAVES") || !Execute.hasXsave(vcpu)) {
                    yield undefined(op, vcpu, out);
                }
                yield execute.moveState(o, vcpu, out);
            }
            case GuestOp.VmOp o -> vmOp(o, vmcb, vcpu, out);
            case GuestOp.EnterNested o -> {
                if (o.instruction() != EntryInstruction.VMRUN || !VMRUN.in(vmcb)) {
                    yield undefined(op, vcpu, out);
                }
                exit(SvmExit.VMRUN, 0, 0, op, vcpu, out);
                yield new Exit.EnterNested(o.instruction(), o.address());
            }
            case GuestOp.Call o -> execute.call(o, out);
            case GuestOp.Ret o -> execute.ret(o, vcpu, out);
            case GuestOp.StoreNestedField o -> execute.store(o, out);
            case GuestOp.StoreNestedBitmap o -> execute.store(o, out);
        };
    }

    /// MSR_PROT off: no access exits; on: the map decides, and what it does not cover exits.
    private static boolean msrExits(Image vmcb, VcpuState vcpu, int msr, boolean write) {
        return MSR_PROT.in(vmcb) && vcpu.bitmap(mapOf(vmcb, vcpu)).exits(msr, write);
    }

    /// Which map the VMCB points to: 02's own, or still 01's.
    private static int mapOf(Image vmcb, VcpuState vcpu) {
        return vcpu.level() == 1 || vmcb.get(Vmcb.MSRPM) == vcpu.image(1).get(Vmcb.MSRPM) ? 1 : 2;
    }

    private Exit hlt(GuestOp.Hlt op, Image vmcb, VcpuState vcpu, Emitter out) {
        if (HLT.in(vmcb)) {
            exit(SvmExit.HLT, 0, 0, op, vcpu, out);
            return new Exit.Hlt();
        }
        if (IDLE_HLT.in(vmcb)) {
            exit(SvmExit.IDLE_HLT, 0, 0, op, vcpu, out);
            return new Exit.Hlt();
        }
        return execute.hlt(op, out);
    }

    private Exit movToCr(GuestOp.MovToCr op, Image vmcb, VcpuState vcpu, Emitter out) {
        if (op.cr() == 2 || !(CR_WRITES[op.cr()].in(vmcb) || selective(op, vmcb, vcpu))) {
            if (eraps
                    && op.cr() == 3
                    && ControlRegisters.accept(3, op.value(), vcpu, platform::has)) {
                clearReturns(RapCause.IMPLICIT, vcpu, out);
            }
            return execute.movToCr(op, vcpu, out);
        }
        boolean whole = CR_WRITES[op.cr()].in(vmcb);
        long code = whole ? SvmExit.WRITE_CR0 + op.cr() : SvmExit.CR0_SEL_WRITE;
        exit(code, platform.has("DECODEASSISTS") ? MOV_CR : 0, 0, op, vcpu, out);
        return new Exit.CrWrite(op.cr(), op.value());
    }

    /// The selective intercept: CR0 writes that change more than TS and MP.
    private static boolean selective(GuestOp.MovToCr op, Image vmcb, VcpuState vcpu) {
        return op.cr() == 0
                && SELECTIVE_CR0.in(vmcb)
                && ((op.value() ^ vcpu.register(Reg.CR0)) & ~0xaL) != 0;
    }

    private Exit tlbInvalidate(GuestOp.TlbInvalidate op, Image vmcb, VcpuState vcpu, Emitter out) {
        boolean invpcid = op.instruction() == TlbInstruction.INVPCID;
        if (invpcid && !platform.has("INVPCID")) {
            return undefined(op, vcpu, out);
        }
        if ((invpcid ? INVPCID : INVLPG).in(vmcb)) {
            exit(invpcid ? SvmExit.INVPCID : SvmExit.INVLPG, op.operand(), 0, op, vcpu, out);
            return invpcid ? new Exit.Invpcid() : new Exit.Invlpg();
        }
        if (eraps && invpcid && op.type() != SINGLE_ADDRESS) {
            clearReturns(RapCause.IMPLICIT, vcpu, out);
        }
        return execute.tlbInvalidate(op, out);
    }

    /// The filter is set anew at VMRUN, and by a PAUSE that comes later than the threshold after the last.
    private static boolean filterRunsOut(VcpuState vcpu) {
        Image vmcb = vcpu.current();
        long last = vcpu.kvm(Kvm.PAUSE_LAST);
        long threshold = vmcb.get(Vmcb.PAUSE_THRESHOLD);
        boolean anew = last == 0 || (threshold != 0 && vcpu.tick() + 1 - last > threshold);
        return vmcb.get(Vmcb.PAUSE_COUNT) == 0 || (!anew && vcpu.kvm(Kvm.PAUSE_LEFT) <= 0);
    }

    private Exit vmOp(GuestOp.VmOp op, Image vmcb, VcpuState vcpu, Emitter out) {
        boolean load = op.instruction() == VmInstruction.VMLOAD;
        if (!load && op.instruction() != VmInstruction.VMSAVE) {
            return undefined(op, vcpu, out);
        }
        if ((load ? VMLOAD : VMSAVE).in(vmcb)) {
            exit(load ? SvmExit.VMLOAD : SvmExit.VMSAVE, 0, 0, op, vcpu, out);
            return new Exit.VmOp(op.instruction(), op.operand(), op.value());
        }
        boolean enabled = vmcb.has(Vmcb.EFER, EFER_SVME);
        return execute.done(
                out,
                new VmInstructionExecuted(
                        op.rip(),
                        op.instruction(),
                        op.operand(),
                        0,
                        enabled ? Outcome.DONE : Outcome.UD));
    }

    /// #UD, which exits where the exception intercepts say so. It always does here: KVM intercepts #UD.
    private Exit undefined(GuestOp op, VcpuState vcpu, Emitter out) {
        exit(SvmExit.EXCEPTION + SvmExit.UD_VECTOR, 0, 0, op, vcpu, out);
        return new Exit.UndefinedOpcode();
    }

    @Override
    public Exit interrupt(int vector, VcpuState vcpu, Emitter out) {
        Check.that(INTR.in(vcpu.current()), "interrupts are not intercepted");
        exit(SvmExit.INTR, 0, 0, null, vcpu, out);
        return new Exit.ExternalInterrupt(vector);
    }

    /// Stores exit information and guest state, as far as they changed.
    private void exit(long code, long info1, long info2, GuestOp op, VcpuState vcpu, Emitter out) {
        Image vmcb = vcpu.current();
        long guestCr0 = vcpu.register(Reg.CR0);
        writes.on(vcpu, vmcb)
                .field(Vmcb.EXIT_CODE, code)
                .field(Vmcb.EXIT_INFO_1, info1)
                .field(Vmcb.EXIT_INFO_2, info2)
                .field(Vmcb.EXIT_INT_INFO, 0)
                .field(Vmcb.CR0, CR_WRITES[0].in(vmcb) ? vmcb.get(Vmcb.CR0) : guestCr0);
        if (op != null) {
            writes.field(Vmcb.NEXT_RIP, code >= SvmExit.NPF ? 0 : op.rip() + op.length())
                    .register(Reg.RIP, op.rip());
            Operands.store(op, writes);
        } else {
            writes.field(Vmcb.NEXT_RIP, 0);
        }
        Writes written = writes.registers(machine.exitStores()).done();
        out.emit(new VmExited(vcpu.level(), code, info1, info2, 0, 0, written));
    }

    @Override
    public boolean enter(VcpuState vcpu, Emitter out) {
        Image vmcb = vcpu.current();
        String failed = checks.firstFailure(vcpu);
        if (failed != null) {
            Writes written = writes.on(vcpu, vmcb).field(Vmcb.EXIT_CODE, SvmExit.INVALID).done();
            out.emit(new VmEntryFailed(vcpu.level(), failed, SvmExit.INVALID, written));
            return false;
        }
        if (eraps) {
            clearReturns(vcpu, vmcb, out);
        }
        Writes written = Writes.NONE;
        boolean injects = vmcb.has(Vmcb.EVENT_INJ, Vmcb.VALID);
        boolean resets = vmrunResetsClear && vmcb.has(Vmcb.ERAP_CONTROL, Vmcb.CLEAR_RAP);
        if (injects || resets) {
            long event = vmcb.get(Vmcb.EVENT_INJ) & ~Vmcb.VALID;
            long control = vmcb.get(Vmcb.ERAP_CONTROL);
            writes.on(vcpu, vmcb).field(Vmcb.EVENT_INJ, event);
            writes.field(Vmcb.ERAP_CONTROL, resets ? control & ~Vmcb.CLEAR_RAP : control);
            written = writes.done();
        }
        out.emit(new VmEntered(vcpu.level(), written));
        return true;
    }

    /// VMRUN clears the predictor where it is told to, and says for which of the hypervisor's reasons.
    private void clearReturns(VcpuState vcpu, Image vmcb, Emitter out) {
        int entries = machine.pcpuOf(vcpu).returns().size();
        if (vmcb.has(Vmcb.ERAP_CONTROL, Vmcb.CLEAR_RAP)) {
            int reason = (int) vcpu.kvm(vcpu.level() == 1 ? Kvm.RAP_CAUSE_01 : Kvm.RAP_CAUSE_02);
            RapCause cause = reason == 0 ? RapCause.STILL_SET : CAUSES[reason - 1];
            out.emit(new RapFlushed(cause, entries));
        } else if (tlbControlClears && vmcb.get(Vmcb.TLB_CONTROL) != 0) {
            clearReturns(RapCause.TLB_CONTROL, vcpu, out);
        }
    }

    /// Clears the predictor by the way: told only where it held anything.
    private void clearReturns(RapCause cause, VcpuState vcpu, Emitter out) {
        int entries = machine.pcpuOf(vcpu).returns().size();
        if (entries != 0) {
            out.emit(new RapFlushed(cause, entries));
        }
    }
}
