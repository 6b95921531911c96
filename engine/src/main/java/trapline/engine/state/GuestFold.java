package trapline.engine.state;

import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.CallsMade;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.DebugRegisterWritten;
import trapline.engine.event.GuestEvent.ExtendedControlWritten;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.Halted;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MmioPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.GuestEvent.Paused;
import trapline.engine.event.GuestEvent.ReturnsMade;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TimestampCounterRead;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.TlbInvalidated;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Instructions;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// What the guest's own ops do to the state.
final class GuestFold {

    private static final Field PLE_GAP = Layout.VMCS.named("PLE_GAP");
    private static final Field PRIMARY = Layout.VMCS.named("CPU_BASED_VM_EXEC_CONTROL");
    private static final Field TERTIARY = Layout.VMCS.named("TERTIARY_VM_EXEC_CONTROL");
    private static final Field SPEC_CTRL_MASK = Layout.VMCS.named("IA32_SPEC_CTRL_MASK");
    private static final Field SPEC_CTRL_SHADOW = Layout.VMCS.named("IA32_SPEC_CTRL_SHADOW");
    private static final long ACTIVATE_TERTIARY =
            Bits.control("CPU_BASED_ACTIVATE_TERTIARY_CONTROLS");
    private static final long VIRTUALIZE_SPEC_CTRL = Bits.control("VIRTUALIZE_IA32_SPEC_CTRL");
    private static final Field PAUSE_COUNT = Layout.VMCB.named("pause_filter_count");
    private static final Field PAUSE_THRESHOLD = Layout.VMCB.named("pause_filter_thresh");

    /// A command to MOV to CR3, not a bit of its value.
    private static final long CR3_NO_FLUSH = 1L << 63;

    private GuestFold() {}

    static void apply(GuestEvent event, VcpuState vcpu, MachineState machine) {
        vcpu.setRegister(Reg.RIP, event.rip() + (event.outcome().retired() ? length(event) : 0));
        switch (event) {
            case MsrWritten e -> msrWritten(e, vcpu, machine);
            case MsrReadBack e -> msrReadBack(e, vcpu);
            case CpuidExecuted e -> cpuidExecuted(e, vcpu);
            case Halted e -> halted(e, vcpu);
            case IoPerformed e -> ioPerformed(e, vcpu);
            case MmioPerformed e -> mmioPerformed(e, vcpu);
            case HypercallMade e -> hypercallMade(e, vcpu);
            case ControlRegisterWritten e -> controlRegisterWritten(e, vcpu);
            case DebugRegisterWritten e -> debugRegisterWritten(e, vcpu);
            case TimestampCounterRead e -> wide(vcpu, e.value(), e.outcome());
            case ExtendedControlWritten e -> extendedControlWritten(e, vcpu);
            case VmInstructionExecuted e -> vmInstructionExecuted(e, vcpu);
            case NestedFieldStored e -> vcpu.images[VcpuState.slot(12)].set(e.field(), e.value());
            case NestedBitmapStored e -> nestedBitmapStored(e, vcpu.bitmap(12));
            case NestedEntered e -> nestedEntered(e, vcpu);
            case Paused _ -> paused(vcpu);
            case CallsMade e -> {
                vcpu.call(e.count());
                int entries = machine.returnEntries(vcpu);
                machine.pcpuOf(vcpu).returns.push(vcpu, e.count(), entries);
            }
            case ReturnsMade e -> {
                vcpu.call(-e.count());
                machine.pcpuOf(vcpu).returns.pop(e.count());
            }
            case ExtendedStateMoved e -> extendedStateMoved(e, vcpu, machine);
            case InstructionsRetired _, TlbInvalidated _ -> {}
        }
    }

    private static int length(GuestEvent event) {
        return switch (event) {
            case InstructionsRetired _, CallsMade _, ReturnsMade _ -> 0;
            case MsrWritten _ -> Instructions.WRMSR;
            case MsrReadBack _ -> Instructions.RDMSR;
            case CpuidExecuted _ -> Instructions.CPUID;
            case Halted _ -> Instructions.HLT;
            case IoPerformed _ -> Instructions.IO;
            case MmioPerformed _ -> Instructions.MMIO;
            case HypercallMade _ -> Instructions.VMCALL;
            case ControlRegisterWritten _ -> Instructions.MOV_CR;
            case DebugRegisterWritten _ -> Instructions.MOV_DR;
            case TlbInvalidated e ->
                    e.instruction() == TlbInstruction.INVLPG
                            ? Instructions.INVLPG
                            : Instructions.INVPCID;
            case TimestampCounterRead _ -> Instructions.RDTSC;
            case ExtendedControlWritten _ -> Instructions.XSETBV;
            case Paused _ -> Instructions.PAUSE;
            case ExtendedStateMoved e ->
                    e.instruction() == StateInstruction.XSAVES
                            ? Instructions.XSAVES
                            : Instructions.XRSTORS;
            case VmInstructionExecuted e ->
                    switch (e.instruction()) {
                        case VMXON -> Instructions.VMXON;
                        case VMXOFF -> Instructions.VMXOFF;
                        case VMCLEAR -> Instructions.VMCLEAR;
                        case VMPTRLD -> Instructions.VMPTRLD;
                        case VMREAD -> Instructions.VMREAD;
                        case VMWRITE -> Instructions.VMWRITE;
                        case VMLOAD -> Instructions.VMLOAD;
                        case VMSAVE -> Instructions.VMSAVE;
                    };
            case NestedFieldStored _, NestedBitmapStored _ -> Instructions.STORE;
            case NestedEntered _ -> Instructions.VMLAUNCH;
        };
    }

    private static void msrWritten(MsrWritten e, VcpuState vcpu, MachineState machine) {
        vcpu.setRegister(Reg.RCX, Integer.toUnsignedLong(e.msr()));
        wide(vcpu, e.value(), Outcome.DONE);
        if (e.outcome() != Outcome.DONE || isCommand(e.msr())) {
            return;
        }
        msrStored(e.msr(), e.value(), vcpu, machine);
    }

    /// The guest has a new value in an MSR: where the processor itself put it there, in the hardware.
    private static void msrStored(int msr, long value, VcpuState vcpu, MachineState machine) {
        vcpu.setMsr(msr, value);
        boolean passed = vcpu.mode() == VcpuState.Mode.GUEST;
        if (passed && !machine.switched(msr)) {
            boolean masked = msr == Msrs.SPEC_CTRL && virtualizesSpecCtrl(vcpu);
            long held = masked ? specCtrl(value, vcpu, machine) : value;
            machine.pcpuOf(vcpu).msrs.put(msr, held);
        } else if (!passed && machine.config().trace() && Msrs.trace(msr)) {
            vcpu.guestTrace.put(msr, value);
        }
    }

    private static boolean virtualizesSpecCtrl(VcpuState vcpu) {
        return vcpu.vendor == Vendor.VMX
                && vcpu.current().has(TERTIARY, VIRTUALIZE_SPEC_CTRL)
                && vcpu.current().has(PRIMARY, ACTIVATE_TERTIARY);
    }

    /// "Virtualize IA32_SPEC_CTRL": the shadow is what the guest wrote; masked bits stay as they are.
    private static long specCtrl(long written, VcpuState vcpu, MachineState machine) {
        Image vmcs = vcpu.current();
        long mask = vmcs.get(SPEC_CTRL_MASK);
        if (machine.config().storesSpecCtrlShadow()) {
            vmcs.set(SPEC_CTRL_SHADOW.id(), written);
        }
        return (written & ~mask) | (machine.pcpuOf(vcpu).msr(Msrs.SPEC_CTRL) & mask);
    }

    /// A write to a command MSR acts; it leaves no value behind.
    private static boolean isCommand(int msr) {
        return msr == Msrs.PRED_CMD || msr == Msrs.FLUSH_CMD;
    }

    private static void msrReadBack(MsrReadBack e, VcpuState vcpu) {
        vcpu.setRegister(Reg.RCX, Integer.toUnsignedLong(e.msr()));
        wide(vcpu, e.value(), e.outcome());
    }

    /// EDX:EAX.
    private static void wide(VcpuState vcpu, long value, Outcome outcome) {
        if (outcome.retired()) {
            vcpu.setRegister(Reg.RAX, value & 0xffff_ffffL);
            vcpu.setRegister(Reg.RDX, value >>> 32);
        }
    }

    private static void cpuidExecuted(CpuidExecuted e, VcpuState vcpu) {
        vcpu.setRegister(Reg.RAX, Integer.toUnsignedLong(e.eax()));
        vcpu.setRegister(Reg.RBX, Integer.toUnsignedLong(e.ebx()));
        vcpu.setRegister(Reg.RCX, Integer.toUnsignedLong(e.ecx()));
        vcpu.setRegister(Reg.RDX, Integer.toUnsignedLong(e.edx()));
    }

    private static void halted(Halted e, VcpuState vcpu) {
        if (e.outcome() == Outcome.DONE) {
            vcpu.setMode(VcpuState.Mode.HALTED);
        }
    }

    private static void ioPerformed(IoPerformed e, VcpuState vcpu) {
        vcpu.setRegister(Reg.RDX, e.port());
        vcpu.setRegister(Reg.RAX, merged(vcpu.register(Reg.RAX), e.value(), e.size()));
    }

    private static void mmioPerformed(MmioPerformed e, VcpuState vcpu) {
        vcpu.setRegister(Reg.RBX, e.address());
        vcpu.setRegister(Reg.RAX, merged(vcpu.register(Reg.RAX), e.value(), e.size()));
    }

    /// As the processor does: 4-byte results clear the upper half, smaller ones keep it.
    private static long merged(long old, long value, int size) {
        return switch (size) {
            case 1 -> (old & ~0xffL) | (value & 0xff);
            case 2 -> (old & ~0xffffL) | (value & 0xffff);
            case 4 -> value & 0xffff_ffffL;
            default -> value;
        };
    }

    private static void hypercallMade(HypercallMade e, VcpuState vcpu) {
        if (e.outcome().retired()) {
            vcpu.setRegister(Reg.RAX, e.result());
        }
    }

    private static void controlRegisterWritten(ControlRegisterWritten e, VcpuState vcpu) {
        if (e.outcome() == Outcome.DONE) {
            switch (e.cr()) {
                case 0 -> vcpu.setRegister(Reg.CR0, e.value());
                case 2 -> vcpu.setRegister(Reg.CR2, e.value());
                case 3 -> vcpu.setRegister(Reg.CR3, e.value() & ~CR3_NO_FLUSH);
                case 4 -> vcpu.setRegister(Reg.CR4, e.value());
                default -> vcpu.setRegister(Reg.CR8, e.value());
            }
        }
    }

    private static void debugRegisterWritten(DebugRegisterWritten e, VcpuState vcpu) {
        if (e.outcome() == Outcome.DONE) {
            switch (e.dr()) {
                case 0 -> vcpu.setRegister(Reg.DR0, e.value());
                case 1 -> vcpu.setRegister(Reg.DR1, e.value());
                case 2 -> vcpu.setRegister(Reg.DR2, e.value());
                case 3 -> vcpu.setRegister(Reg.DR3, e.value());
                case 6 -> vcpu.setRegister(Reg.DR6, e.value());
                default -> vcpu.setRegister(Reg.DR7, e.value());
            }
        }
    }

    private static void extendedControlWritten(ExtendedControlWritten e, VcpuState vcpu) {
        vcpu.setRegister(Reg.RCX, e.xcr());
        wide(vcpu, e.value(), Outcome.DONE);
        if (e.outcome() == Outcome.DONE) {
            vcpu.setRegister(Reg.XCR0, e.value());
        }
    }

    private static void vmInstructionExecuted(VmInstructionExecuted e, VcpuState vcpu) {
        if (e.outcome() != Outcome.DONE) {
            return;
        }
        switch (e.instruction()) {
            case VMXON -> vcpu.set(Kvm.VMXON, 1);
            case VMXOFF -> vcpu.set(Kvm.VMXON, 0);
            case VMCLEAR -> {
                vcpu.set(Kvm.LAUNCHED_12, 0);
                if (vcpu.kvm(Kvm.CURRENT_12) == e.operand() + 1) {
                    vcpu.set(Kvm.CURRENT_12, 0);
                }
            }
            case VMPTRLD -> {
                vcpu.set(Kvm.CURRENT_12, e.operand() + 1);
                vcpu.set(Kvm.FORCE_BITMAP_RECALC, 1);
            }
            case VMWRITE -> vcpu.images[VcpuState.slot(12)].set((int) e.operand(), e.value());
            case VMLOAD, VMSAVE -> vmloadOrVmsave(vcpu, e.instruction() == VmInstruction.VMLOAD);
            case VMREAD -> {}
        }
    }

    /// Where the processor itself did it; there is one VMCB in the guest's memory, whatever the address.
    private static void vmloadOrVmsave(VcpuState vcpu, boolean load) {
        if (vcpu.mode() != VcpuState.Mode.GUEST) {
            return;
        }
        Image vmcb12 = vcpu.image(12);
        for (Field field : Layout.VMCB.fields()) {
            if (field.vmload()) {
                Reg register = RegisterMap.of(Vendor.SVM).register(field);
                if (load) {
                    vcpu.setRegister(register, vmcb12.get(field));
                } else {
                    vmcb12.set(field.id(), vcpu.register(register));
                }
            }
        }
    }

    /// The processor's own bookkeeping of loops of PAUSE: PAUSE-loop exiting on VMX, the filter on SVM.
    private static void paused(VcpuState vcpu) {
        boolean vmx = vcpu.vendor == Vendor.VMX;
        long gap = vcpu.current().get(vmx ? PLE_GAP : PAUSE_THRESHOLD);
        long last = vcpu.kvm(Kvm.PAUSE_LAST);
        if (last == 0 || (vcpu.tick - last > gap && (vmx || gap != 0))) {
            vcpu.set(Kvm.PAUSE_FIRST, vcpu.tick);
            vcpu.set(Kvm.PAUSE_LEFT, vmx ? 0 : vcpu.current().get(PAUSE_COUNT));
        }
        vcpu.set(Kvm.PAUSE_LAST, vcpu.tick);
        if (!vmx) {
            vcpu.set(Kvm.PAUSE_LEFT, vcpu.kvm(Kvm.PAUSE_LEFT) - 1);
        }
    }

    private static void extendedStateMoved(
            ExtendedStateMoved e, VcpuState vcpu, MachineState machine) {
        vcpu.setRegister(Reg.RAX, e.mask() & 0xffff_ffffL);
        vcpu.setRegister(Reg.RDX, e.mask() >>> 32);
        if (e.outcome() != Outcome.DONE) {
            return;
        }
        MsrValues moved = e.values();
        if (e.instruction() == StateInstruction.XRSTORS) {
            for (int i = 0; i < moved.size(); i++) {
                msrStored(moved.msr(i), moved.value(i), vcpu, machine);
            }
            return;
        }
        ExtendedState extended = vcpu.extended;
        extended.layout = e.components() | ExtendedState.COMPACTED;
        extended.area = new MsrFile();
        for (int i = 0; i < moved.size(); i++) {
            extended.area.put(moved.msr(i), moved.value(i));
        }
    }

    private static void nestedBitmapStored(NestedBitmapStored e, MsrBitmap map) {
        if (e.msr() == NestedBitmapStored.ALL) {
            map.fill(e.read() ? -1 : 0);
        } else {
            map.set(e.msr(), e.read(), e.write());
        }
    }

    private static void nestedEntered(NestedEntered e, VcpuState vcpu) {
        if (e.outcome() == Outcome.DONE) {
            vcpu.set(Kvm.LEVEL, 2);
            vcpu.allStale();
        }
    }
}
