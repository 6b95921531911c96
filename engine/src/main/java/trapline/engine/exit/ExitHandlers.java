package trapline.engine.exit;

import trapline.engine.Check;
import trapline.engine.cpu.ControlRegisters;
import trapline.engine.cpu.Execute;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.ExtendedStateAccess;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.HardwareMsrs;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.ExtendedControlWritten;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.Halted;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MmioPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.Paused;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TlbInvalidated;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HypercallPatched;
import trapline.engine.event.HypervisorEvent.MmioPageMapped;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;

/// What KVM does for each exit: one switch over all of them.
final class ExitHandlers {

    private static final int EXIT_IO = 2;
    private static final int EXIT_MMIO = 6;
    private static final int UD = 6;
    private static final int GP = 13;

    private final Phases phases;
    private final VendorCode vendor;
    private final MsrAccess msrs;
    private final Userspace userspace;

    ExitHandlers(Phases phases, VendorCode vendor, MsrAccess msrs, Userspace userspace) {
        this.phases = phases;
        this.vendor = vendor;
        this.msrs = msrs;
        this.userspace = userspace;
    }

    /// @param op what the guest was at; null for an interrupt
    Next decide(Exit exit, GuestOp op, Vcpu v) {
        return switch (exit) {
            case Exit.Rdmsr e -> rdmsr(e, (GuestOp.Rdmsr) op, v);
            case Exit.Wrmsr e -> wrmsr(e, (GuestOp.Wrmsr) op, v);
            case Exit.Cpuid e -> cpuid(e, op, v);
            case Exit.Hlt _ -> hlt(op, v);
            case Exit.Io e -> io(e, op, v);
            case Exit.NestedPageFault e -> nestedPageFault(e, op, v);
            case Exit.ApicAccess e -> mmio(e.address(), e.size(), e.write(), e.value(), op, v);
            case Exit.Hypercall _ -> hypercall((GuestOp.Hypercall) op, v);
            case Exit.CrWrite e -> controlRegister(e, op, v);
            case Exit.DrWrite _ -> debugRegister(v);
            case Exit.Xsetbv e -> xsetbv(e, op, v);
            case Exit.Pause _ -> pause(op, v);
            case Exit.UndefinedOpcode _ -> undefined(op, v);
            case Exit.ExternalInterrupt _ -> Next.CONTINUE;
            case Exit.VmOp _ -> vmOp((GuestOp.VmOp) op, v);
            case Exit.EnterNested _ -> enterNested((GuestOp.EnterNested) op, v);
            case Exit.Invpcid _ ->
                    v.setup().model().has("INVPCID")
                            ? invalidate((GuestOp.TlbInvalidate) op, v)
                            : fault(op, UD, Outcome.UD, v);
            case Exit.Invlpg _ -> invalidate((GuestOp.TlbInvalidate) op, v);
            case Exit.OnlyNested _ -> onlyNested(op);
            case Exit.MoveState _ -> moveState((GuestOp.MoveState) op, v);
        };
    }

    private Next rdmsr(Exit.Rdmsr e, GuestOp.Rdmsr op, Vcpu v) {
        MsrResult result = msrs.read(v, e.msr(), false);
        if (result.done()) {
            v.emit(Execute.readBack(op, result.value()));
        } else if (op.recorded() && !HardwareMsrs.modelled(e.msr())) {
            v.emit(new MsrReadBack(op.rip(), e.msr(), op.observed(), Outcome.RECORDED));
        } else if (userspace.wants(v, result.status())) {
            UserspaceReplied reply = userspace.ask(v, e.msr(), false, 0, result.status());
            if (reply.error()) {
                return fault(op, GP, Outcome.GP, v);
            }
            v.emit(new MsrReadBack(op.rip(), e.msr(), reply.value(), Outcome.USERSPACE));
        } else {
            return fault(op, GP, Outcome.GP, v);
        }
        return Next.CONTINUE;
    }

    private Next wrmsr(Exit.Wrmsr e, GuestOp.Wrmsr op, Vcpu v) {
        MsrResult result = msrs.write(v, e.msr(), e.value(), false);
        boolean accepted = result.done() || (op.recorded() && !HardwareMsrs.modelled(e.msr()));
        if (accepted) {
            v.emit(new MsrWritten(op.rip(), e.msr(), e.value(), Outcome.DONE));
        } else if (userspace.wants(v, result.status())
                && !userspace.ask(v, e.msr(), true, e.value(), result.status()).error()) {
            v.emit(new MsrWritten(op.rip(), e.msr(), e.value(), Outcome.USERSPACE));
        } else {
            return fault(op, GP, Outcome.GP, v);
        }
        return Next.CONTINUE;
    }

    private static Next cpuid(Exit.Cpuid e, GuestOp op, Vcpu v) {
        int[] r = v.cpuid(e.leaf(), e.subleaf());
        v.emit(
                new CpuidExecuted(
                        op.rip(), e.leaf(), e.subleaf(), r[0], r[1], r[2], r[3], Outcome.DONE));
        return Next.CONTINUE;
    }

    /// The in-kernel APIC lets the vCPU sleep in the kernel, unless there is something to wake it already.
    private Next hlt(GuestOp op, Vcpu v) {
        v.emit(new Halted(op.rip(), Outcome.DONE));
        if (v.state().highestPending() >= 0) {
            v.set(Kvm.MODE, VcpuState.Mode.ROOT.ordinal());
            return Next.CONTINUE;
        }
        phases.scheduleOut(v, false);
        return Next.WAIT;
    }

    private Next io(Exit.Io e, GuestOp op, Vcpu v) {
        boolean userspace = !Devices.inKernelPort(e.port());
        long value = e.value();
        if (userspace) {
            phases.exitToUserspace(v, EXIT_IO);
        }
        if (!e.write()) {
            value = v.setup().world().device(e.port(), e.size(), v.state(), v.out());
        }
        if (userspace) {
            phases.load(v, v.state().pcpu());
        }
        v.emit(new IoPerformed(op.rip(), e.port(), e.size(), e.write(), value, Outcome.DONE));
        return Next.CONTINUE;
    }

    private Next nestedPageFault(Exit.NestedPageFault e, GuestOp op, Vcpu v) {
        long frame = e.address() >>> 12;
        if (!v.machine().vm().mmioFrames().contains(frame)) {
            v.out().emitShared(new MmioPageMapped(frame));
        }
        return mmio(e.address(), e.size(), e.write(), e.value(), op, v);
    }

    private Next mmio(long address, int size, boolean write, long stored, GuestOp op, Vcpu v) {
        boolean userspace = !Devices.inKernelPage(address);
        long value = stored;
        if (userspace) {
            phases.exitToUserspace(v, EXIT_MMIO);
        }
        if (!write) {
            value = v.setup().world().device(address, size, v.state(), v.out());
        }
        if (userspace) {
            phases.load(v, v.state().pcpu());
        }
        v.emit(new MmioPerformed(op.rip(), address, size, write, value, Outcome.DONE));
        return Next.CONTINUE;
    }

    /// The event names the instruction as the guest has it, whatever it was rewritten to. L2 speaks to L1 only.
    private Next hypercall(GuestOp.Hypercall op, Vcpu v) {
        if (v.state().level() == 2) {
            return fault(op, UD, Outcome.UD, v);
        }
        long result = Devices.hypercall(op.number());
        v.emit(new HypercallMade(op.rip(), op.vmmcall(), op.number(), result, Outcome.DONE));
        return Next.CONTINUE;
    }

    private Next controlRegister(Exit.CrWrite e, GuestOp op, Vcpu v) {
        if (!ControlRegisters.accept(e.cr(), e.value(), v.state(), v.setup().model()::has)) {
            return fault(op, GP, Outcome.GP, v);
        }
        vendor.storeControlRegister(v, e.cr(), e.value());
        v.emit(new ControlRegisterWritten(op.rip(), e.cr(), e.value(), Outcome.DONE));
        return Next.CONTINUE;
    }

    /// The first access of a run: the guest gets its debug registers and tries again.
    private Next debugRegister(Vcpu v) {
        vendor.passDebugRegisters(v);
        return Next.RETRY;
    }

    private Next xsetbv(Exit.Xsetbv e, GuestOp op, Vcpu v) {
        if (!ControlRegisters.acceptExtended(e.xcr(), e.value())
                || !v.setup().model().has("XSAVE")) {
            return fault(op, GP, Outcome.GP, v);
        }
        v.emit(new ExtendedControlWritten(op.rip(), e.xcr(), e.value(), Outcome.DONE));
        return Next.CONTINUE;
    }

    /// XSAVES or XRSTORS that the XSS-exiting bitmap gave us: each MSR as its handler has it.
    ///
    /// No filter has a say in it: the use is implicit (FACTS 2.6).
    private Next moveState(GuestOp.MoveState op, Vcpu v) {
        long enabled = v.state().register(Reg.XCR0) | v.state().kvm(Kvm.XSS);
        long components = op.mask() & enabled;
        MsrValues values;
        if (op.instruction() == StateInstruction.XSAVES) {
            values = ExtendedStateAccess.read(components, msr -> emulatedRead(v, msr));
        } else {
            values = ExtendedStateAccess.restored(components, v.state());
            if (!ExtendedStateAccess.restorable(v.state(), enabled) || !emulatedWrites(v, values)) {
                return fault(op, GP, Outcome.GP, v);
            }
        }
        v.emit(
                new ExtendedStateMoved(
                        op.rip(), op.instruction(), op.mask(), components, values, Outcome.DONE));
        return Next.CONTINUE;
    }

    /// An MSR that KVM does not virtualize has the value that the guest's last XRSTORS gave it.
    private long emulatedRead(Vcpu v, int msr) {
        MsrResult result = msrs.read(v, msr, true);
        return result.done() ? result.value() : v.state().msr(msr);
    }

    private boolean emulatedWrites(Vcpu v, MsrValues values) {
        for (int i = 0; i < values.size(); i++) {
            MsrResult result = msrs.write(v, values.msr(i), values.value(i), true);
            if (result.status() == MsrResult.Status.INVALID) {
                return false;
            }
        }
        return true;
    }

    private Next pause(GuestOp op, Vcpu v) {
        vendor.growPauseWindow(v);
        v.emit(new Paused(op.rip(), Outcome.DONE));
        return Next.CONTINUE;
    }

    /// The other vendor's hypercall instruction is rewritten where it stands; all else is the guest's.
    private Next undefined(GuestOp op, Vcpu v) {
        if (op instanceof GuestOp.Hypercall call
                && call.vmmcall() != (v.state().vendor() == Vendor.SVM)) {
            v.out().emitShared(new HypercallPatched(call.rip()));
            return Next.RETRY;
        }
        return fault(op, UD, Outcome.UD, v);
    }

    private Next vmOp(GuestOp.VmOp op, Vcpu v) {
        Outcome outcome = vendor.execute(v, op);
        if (outcome == Outcome.GP || outcome == Outcome.UD) {
            return fault(op, outcome == Outcome.GP ? GP : UD, outcome, v);
        }
        v.emit(
                new VmInstructionExecuted(
                        op.rip(), op.instruction(), op.operand(), vendor.read(v, op), outcome));
        return Next.CONTINUE;
    }

    private Next enterNested(GuestOp.EnterNested op, Vcpu v) {
        boolean enabled =
                v.state().vendor() == Vendor.VMX
                        ? v.state().is(Kvm.VMXON)
                        : (v.state().register(Reg.EFER) >>> 12 & 1) != 0;
        if (!enabled) {
            return fault(op, UD, Outcome.UD, v);
        }
        vendor.enterL2(v, op);
        return Next.CONTINUE;
    }

    /// With shadow page tables, the guest's own say nothing to the processor.
    private Next invalidate(GuestOp.TlbInvalidate op, Vcpu v) {
        vendor.invalidate(v, op);
        v.emit(
                new TlbInvalidated(
                        op.rip(), op.instruction(), op.type(), op.operand(), Outcome.DONE));
        return Next.CONTINUE;
    }

    private static Next onlyNested(GuestOp op) {
        Check.that(false, "L0 does not intercept %s", op);
        return Next.CONTINUE;
    }

    private Next fault(GuestOp op, int vector, Outcome outcome, Vcpu v) {
        v.emit(Completion.faulted(op, outcome));
        vendor.inject(v, vector, EventType.EXCEPTION);
        return Next.CONTINUE;
    }
}
