package trapline.engine.cpu.vmx;

import trapline.engine.cpu.Execute;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.Operands;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Processor;
import trapline.engine.cpu.World;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.event.Emitter;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
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
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// An Intel processor in VMX non-root operation (SDM vol. 3C, VMX Non-Root Operation, VM Entries, VM Exits).
public final class VmxProcessor implements Processor {

    private static final long APIC_PAGE = 0xfee00000L;

    private final MachineState machine;
    private final Execute execute;
    private final EntryChecks checks;
    private final boolean checksMergedSpecCtrl;
    private final WritesBuilder writes = new WritesBuilder();

    public VmxProcessor(MachineState machine, Platform platform, World world) {
        this.machine = machine;
        execute = new Execute(machine, platform, world);
        checks = new EntryChecks(machine, platform);
        checksMergedSpecCtrl = platform.quirks().checksMergedSpecCtrl();
    }

    @Override
    public Exit execute(GuestOp op, VcpuState vcpu, Emitter out) {
        Image vmcs = vcpu.current();
        return switch (op) {
            case GuestOp.Run o -> execute.run(o, out);
            case GuestOp.Wrmsr o -> {
                if (msrExits(vmcs, vcpu, o.msr(), true)) {
                    exit(VmxReason.MSR_WRITE, 0, op, vcpu, out);
                    yield new Exit.Wrmsr(o.msr(), o.value());
                }
                yield o.msr() == Msrs.SPEC_CTRL && virtualizesSpecCtrl(vmcs)
                        ? execute.wrmsr(o, specCtrlChecked(o, vmcs, vcpu), vcpu, out)
                        : execute.wrmsr(o, vcpu, out);
            }
            case GuestOp.Rdmsr o -> {
                if (msrExits(vmcs, vcpu, o.msr(), false)) {
                    exit(VmxReason.MSR_READ, 0, op, vcpu, out);
                    yield new Exit.Rdmsr(o.msr());
                }
                yield o.msr() == Msrs.SPEC_CTRL && virtualizesSpecCtrl(vmcs)
                        ? execute.rdmsr(o, vmcs.get(Vmcs.SPEC_CTRL_SHADOW), out)
                        : execute.rdmsr(o, vcpu, out);
            }
            case GuestOp.Cpuid o -> {
                exit(VmxReason.CPUID, 0, op, vcpu, out);
                yield new Exit.Cpuid(o.leaf(), o.subleaf());
            }
            case GuestOp.Hlt o -> {
                if (vmcs.has(Vmcs.PRIMARY, Vmcs.HLT_EXITING)) {
                    exit(VmxReason.HLT, 0, op, vcpu, out);
                    yield new Exit.Hlt();
                }
                yield execute.hlt(o, out);
            }
            case GuestOp.Io o -> {
                exit(VmxReason.IO_INSTRUCTION, VmxReason.ioQualification(o), op, vcpu, out);
                yield new Exit.Io(o.port(), o.size(), o.write(), o.value());
            }
            case GuestOp.Mmio o -> mmio(o, vmcs, vcpu, out);
            case GuestOp.Hypercall o -> {
                if (o.vmmcall()) {
                    yield undefined(op, vcpu, out);
                }
                exit(VmxReason.VMCALL, 0, op, vcpu, out);
                yield new Exit.Hypercall(false, o.number());
            }
            case GuestOp.MovToCr o -> movToCr(o, vmcs, vcpu, out);
            case GuestOp.MovToDr o -> {
                if (vmcs.has(Vmcs.PRIMARY, Vmcs.MOV_DR_EXITING)) {
                    exit(VmxReason.DR_ACCESS, o.dr(), op, vcpu, out);
                    yield new Exit.DrWrite(o.dr(), o.value());
                }
                yield execute.movToDr(o, out);
            }
            case GuestOp.TlbInvalidate o -> tlbInvalidate(o, vmcs, vcpu, out);
            case GuestOp.Rdtsc o -> {
                if (vmcs.has(Vmcs.PRIMARY, Vmcs.RDTSC_EXITING)) {
                    exit(VmxReason.RDTSC, 0, op, vcpu, out);
                    yield new Exit.OnlyNested();
                }
                yield execute.rdtsc(o, vcpu, out);
            }
            case GuestOp.Xsetbv o -> {
                exit(VmxReason.XSETBV, 0, op, vcpu, out);
                yield new Exit.Xsetbv(o.xcr(), o.value());
            }
            case GuestOp.Pause o -> pause(o, vmcs, vcpu, out);
            case GuestOp.MoveState o -> moveState(o, vmcs, vcpu, out);
            case GuestOp.VmOp o -> vmOp(o, vmcs, vcpu, out);
            case GuestOp.EnterNested o -> {
                long reason = VmxReason.of(o.instruction());
                if (reason < 0) {
                    yield undefined(op, vcpu, out);
                }
                exit(reason, 0, op, vcpu, out);
                yield new Exit.EnterNested(o.instruction(), o.address());
            }
            case GuestOp.Call o -> execute.call(o, out);
            case GuestOp.Ret o -> execute.ret(o, vcpu, out);
            case GuestOp.StoreNestedField o -> execute.store(o, out);
            case GuestOp.StoreNestedBitmap o -> execute.store(o, out);
        };
    }

    /// Without bitmaps every access exits; with them, the bit decides.
    private static boolean msrExits(Image vmcs, VcpuState vcpu, int msr, boolean write) {
        return !vmcs.has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)
                || vcpu.bitmap(vcpu.currentStructure()).exits(msr, write);
    }

    private static boolean virtualizesSpecCtrl(Image vmcs) {
        return vmcs.has(Vmcs.TERTIARY, Vmcs.VIRTUALIZE_SPEC_CTRL)
                && vmcs.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_TERTIARY);
    }

    /// The value whose reserved bits make a virtualized write fault: by default what the hardware would hold.
    private long specCtrlChecked(GuestOp.Wrmsr op, Image vmcs, VcpuState vcpu) {
        long mask = vmcs.get(Vmcs.SPEC_CTRL_MASK);
        return checksMergedSpecCtrl
                ? (op.value() & ~mask) | (machine.hardwareMsr(vcpu, Msrs.SPEC_CTRL) & mask)
                : op.value();
    }

    private Exit mmio(GuestOp.Mmio op, Image vmcs, VcpuState vcpu, Emitter out) {
        if ((op.address() & ~0xfffL) == APIC_PAGE && secondary(vmcs, Vmcs.VIRTUALIZE_APIC)) {
            long qualification = (op.address() & 0xfff) | (op.write() ? 1 << 12 : 0);
            exit(VmxReason.APIC_ACCESS, qualification, op, vcpu, out);
            return new Exit.ApicAccess(op.address(), op.size(), op.write(), op.value());
        }
        if (machine.vm().mmioFrames().contains(op.address() >>> 12)) {
            exit(VmxReason.EPT_MISCONFIG, 0, op, vcpu, out);
        } else {
            exit(VmxReason.EPT_VIOLATION, op.write() ? 0x182 : 0x181, op, vcpu, out);
        }
        return new Exit.NestedPageFault(op.address(), op.size(), op.write(), op.value());
    }

    private Exit movToCr(GuestOp.MovToCr op, Image vmcs, VcpuState vcpu, Emitter out) {
        boolean exits =
                switch (op.cr()) {
                    case 0 -> ownedBitChanges(op, vmcs, Vmcs.CR0_MASK, Vmcs.CR0_SHADOW);
                    case 3 -> vmcs.has(Vmcs.PRIMARY, Vmcs.CR3_LOAD_EXITING);
                    case 4 -> ownedBitChanges(op, vmcs, Vmcs.CR4_MASK, Vmcs.CR4_SHADOW);
                    case 8 -> vmcs.has(Vmcs.PRIMARY, Vmcs.CR8_LOAD_EXITING);
                    default -> false;
                };
        if (!exits) {
            return execute.movToCr(op, vcpu, out);
        }
        exit(VmxReason.CR_ACCESS, op.cr(), op, vcpu, out);
        return new Exit.CrWrite(op.cr(), op.value());
    }

    /// A write exits if it would give a bit that the host owns another value than the shadow shows.
    private static boolean ownedBitChanges(
            GuestOp.MovToCr op, Image vmcs, Field mask, Field shadow) {
        return ((op.value() ^ vmcs.get(shadow)) & vmcs.get(mask)) != 0;
    }

    private Exit tlbInvalidate(GuestOp.TlbInvalidate op, Image vmcs, VcpuState vcpu, Emitter out) {
        boolean invpcid = op.instruction() == TlbInstruction.INVPCID;
        if (invpcid && !secondary(vmcs, Vmcs.ENABLE_INVPCID)) {
            return undefined(op, vcpu, out);
        }
        if (vmcs.has(Vmcs.PRIMARY, Vmcs.INVLPG_EXITING)) {
            exit(invpcid ? VmxReason.INVPCID : VmxReason.INVLPG, op.operand(), op, vcpu, out);
            return new Exit.OnlyNested();
        }
        return execute.tlbInvalidate(op, out);
    }

    /// Exits if a component of both the mask and IA32_XSS is in the XSS-exiting bitmap; XCR0 is not asked.
    private Exit moveState(GuestOp.MoveState op, Image vmcs, VcpuState vcpu, Emitter out) {
        if (!secondary(vmcs, Vmcs.ENABLE_XSAVES) || !Execute.hasXsave(vcpu)) {
            return undefined(op, vcpu, out);
        }
        long xss = machine.pcpuOf(vcpu).msr(Msrs.XSS);
        if ((op.mask() & xss & vmcs.get(Vmcs.XSS_EXIT_BITMAP)) != 0) {
            boolean save = op.instruction() == StateInstruction.XSAVES;
            exit(save ? VmxReason.XSAVES : VmxReason.XRSTORS, 0, op, vcpu, out);
            return new Exit.MoveState(op.instruction(), op.mask());
        }
        return execute.moveState(op, vcpu, out);
    }

    private Exit pause(GuestOp.Pause op, Image vmcs, VcpuState vcpu, Emitter out) {
        if (loops(vmcs, vcpu) || vmcs.has(Vmcs.PRIMARY, Vmcs.PAUSE_EXITING)) {
            exit(VmxReason.PAUSE_INSTRUCTION, 0, op, vcpu, out);
            return new Exit.Pause();
        }
        return execute.pause(op, out);
    }

    /// PAUSE-loop exiting: this PAUSE goes on with a loop, and the loop has lasted longer than the window.
    private static boolean loops(Image vmcs, VcpuState vcpu) {
        long now = vcpu.tick() + 1;
        long last = vcpu.kvm(Kvm.PAUSE_LAST);
        return secondary(vmcs, Vmcs.PAUSE_LOOP_EXITING)
                && last != 0
                && now - last <= vmcs.get(Vmcs.PLE_GAP)
                && now - vcpu.kvm(Kvm.PAUSE_FIRST) > vmcs.get(Vmcs.PLE_WINDOW);
    }

    private Exit vmOp(GuestOp.VmOp op, Image vmcs, VcpuState vcpu, Emitter out) {
        long reason = VmxReason.of(op.instruction());
        if (reason < 0) {
            return undefined(op, vcpu, out);
        }
        if (shadowed(op, vmcs)) {
            long value =
                    op.instruction() == VmInstruction.VMREAD
                            ? vcpu.image(12).get(Layout.VMCS.field((int) op.operand()))
                            : op.value();
            return execute.done(
                    out,
                    new VmInstructionExecuted(
                            op.rip(), op.instruction(), op.operand(), value, Outcome.DONE));
        }
        exit(reason, 0, op, vcpu, out);
        return new Exit.VmOp(op.instruction(), op.operand(), op.value());
    }

    /// VMREAD and VMWRITE of fields that the shadow VMCS's bitmaps leave to L1.
    private static boolean shadowed(GuestOp.VmOp op, Image vmcs) {
        boolean write = op.instruction() == VmInstruction.VMWRITE;
        if ((!write && op.instruction() != VmInstruction.VMREAD)
                || !secondary(vmcs, Vmcs.SHADOW_VMCS)
                || !Layout.VMCS.has((int) op.operand())) {
            return false;
        }
        return switch (Layout.VMCS.field((int) op.operand()).shadow()) {
            case READ_WRITE -> true;
            case READ -> !write;
            case NONE -> false;
        };
    }

    private static boolean secondary(Image vmcs, long control) {
        return vmcs.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_SECONDARY) && vmcs.has(Vmcs.SECONDARY, control);
    }

    /// #UD, which exits where the exception bitmap says so. It always does here: KVM intercepts #UD.
    private Exit undefined(GuestOp op, VcpuState vcpu, Emitter out) {
        long info = Vmcs.VALID | Vmcs.HARDWARE_EXCEPTION | Vmcs.UD_VECTOR;
        leave(VmxReason.EXCEPTION_NMI, 0, (int) info, op, vcpu, out);
        return new Exit.UndefinedOpcode();
    }

    @Override
    public Exit interrupt(int vector, VcpuState vcpu, Emitter out) {
        leave(VmxReason.EXTERNAL_INTERRUPT, 0, (int) (Vmcs.VALID | vector), null, vcpu, out);
        return new Exit.ExternalInterrupt(vector);
    }

    private void exit(long reason, long qualification, GuestOp op, VcpuState vcpu, Emitter out) {
        leave(reason, qualification, 0, op, vcpu, out);
    }

    /// Stores exit information and guest state, as far as they changed.
    private void leave(
            long reason,
            long qualification,
            int interruptInfo,
            GuestOp op,
            VcpuState vcpu,
            Emitter out) {
        Image vmcs = vcpu.current();
        writes.on(vcpu, vmcs)
                .field(Vmcs.EXIT_REASON, reason)
                .field(Vmcs.EXIT_QUALIFICATION, qualification)
                .field(Vmcs.EXIT_INTERRUPT_INFO, interruptInfo)
                .field(Vmcs.EXIT_LENGTH, op == null || interruptInfo != 0 ? 0 : op.length())
                .field(Vmcs.GUEST_CR0, merged(vmcs, Vmcs.GUEST_CR0, Vmcs.CR0_MASK, vcpu, Reg.CR0))
                .field(Vmcs.GUEST_CR4, merged(vmcs, Vmcs.GUEST_CR4, Vmcs.CR4_MASK, vcpu, Reg.CR4));
        if (op instanceof GuestOp.Mmio mmio) {
            writes.field(Vmcs.GUEST_PHYSICAL, mmio.address());
        }
        if (op != null) {
            writes.register(Reg.RIP, op.rip());
            Operands.store(op, writes);
        }
        Writes written = writes.registers(machine.exitStores()).done();
        out.emit(new VmExited(vcpu.level(), reason, qualification, 0, interruptInfo, 0, written));
    }

    /// The guest's own bits as it set them, the host's as they were.
    private static long merged(Image vmcs, Field field, Field mask, VcpuState vcpu, Reg register) {
        long owned = vmcs.get(mask);
        return (vmcs.get(field) & owned) | (vcpu.register(register) & ~owned);
    }

    @Override
    public boolean enter(VcpuState vcpu, Emitter out) {
        Image vmcs = vcpu.current();
        EntryCheck failed = checks.firstFailure(vcpu);
        if (failed != null) {
            writes.on(vcpu, vmcs);
            if (failed.stage() == EntryCheck.Stage.GUEST) {
                writes.field(Vmcs.EXIT_REASON, failed.reason()).field(Vmcs.EXIT_QUALIFICATION, 0);
            } else {
                writes.field(Vmcs.INSTRUCTION_ERROR, failed.reason());
            }
            out.emit(
                    new VmEntryFailed(vcpu.level(), failed.name(), failed.reason(), writes.done()));
            return false;
        }
        Writes written = Writes.NONE;
        if (vmcs.has(Vmcs.ENTRY_INTERRUPT_INFO, Vmcs.VALID)) {
            long info = vmcs.get(Vmcs.ENTRY_INTERRUPT_INFO) & ~Vmcs.VALID;
            written = writes.on(vcpu, vmcs).field(Vmcs.ENTRY_INTERRUPT_INFO, info).done();
        }
        out.emit(new VmEntered(vcpu.level(), written));
        return true;
    }
}
