package trapline.engine.state;

import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.HypercallPatched;
import trapline.engine.event.HypervisorEvent.MmioPageMapped;
import trapline.engine.event.HypervisorEvent.MsrExitsStored;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.PassThroughWithheld;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.SaveArea;
import trapline.engine.event.HypervisorEvent.SpecCtrlForceAnswered;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.HypervisorEvent.VariableChanged;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// What the hypervisor's own deeds do to the state.
final class HypervisorFold {

    private static final Field CLEAN = Layout.VMCB.named("clean");
    private static final Field ASID = Layout.VMCB.named("asid");
    private static final Field SPEC_CTRL_SHADOW = Layout.VMCS.named("IA32_SPEC_CTRL_SHADOW");

    private HypervisorFold() {}

    static void apply(HypervisorEvent event, VcpuState vcpu, MachineState machine) {
        PcpuState pcpu = machine.pcpuOf(vcpu);
        switch (event) {
            case VmcsFieldWritten e -> softwareWrite(vcpu, e.vmcs(), e.field(), e.value());
            case VmcbFieldWritten e -> vmcbFieldWritten(e, vcpu, pcpu);
            case MsrInterceptChanged e -> msrInterceptChanged(e, vcpu);
            case NestedBitmapMerged e -> {
                vcpu.set(Kvm.FORCE_BITMAP_RECALC, 0);
                vcpu.set(Kvm.NESTED_BITMAP_USABLE, e.usable() ? 1 : 0);
            }
            case HostMsrRead e -> hostMsrRead(e, vcpu, pcpu);
            case HostMsrWritten e -> hostMsrWritten(e, pcpu);
            case HostExtendedControlWritten e -> pcpu.xcr0 = e.value();
            case HostStateSaved e -> hostStateSaved(e, vcpu, machine);
            case HostStateLoaded e -> {
                if (e.area() == SaveArea.VMCB01) {
                    pcpu.vmload.loadGuest(vcpu);
                } else {
                    pcpu.vmload.loadHost();
                }
            }
            case HostRegistersLoaded e -> hostRegistersLoaded(e, pcpu);
            case RegistersChanged(Writes written) -> HardwareFold.store(written, vcpu);
            case VariableChanged e -> vcpu.set(e.variable(), e.value());
            case EventInjected e -> {
                if (e.type() == EventType.INTERRUPT) {
                    vcpu.setPending(e.vector(), false);
                }
            }
            case UserspaceMsrStored e -> {
                if (e.outcome() == Outcome.DONE) {
                    vcpu.setMsr(e.msr(), e.value());
                    if (machine.config().trace() && Msrs.trace(e.msr())) {
                        vcpu.guestTrace.put(e.msr(), e.value());
                    }
                }
            }
            case VcpuLoaded e -> {
                vcpu.set(Kvm.LOADED, 1);
                vcpu.set(Kvm.PCPU, e.pcpu());
                machine.pcpus[e.pcpu()].lastVcpu = vcpu.id;
                machine.pcpus[e.pcpu()].lastLevel = vcpu.level();
            }
            case VcpuPut _ -> {
                if (pcpu.vmload != null) {
                    pcpu.vmload.leave();
                }
                vcpu.set(Kvm.LOADED, 0);
                vcpu.set(Kvm.GUEST_STATE_LOADED, 0);
            }
            case NestedExited _ -> {
                vcpu.set(Kvm.LEVEL, 1);
                vcpu.allStale();
            }
            case MmioPageMapped e -> machine.vm.mmioFrames.add(e.frame());
            case HypercallPatched e -> machine.vm.patchedHypercalls.add(e.rip());
            case VmcsFieldRead e -> vmcsFieldRead(e, vcpu);
            case SpecCtrlForceAnswered e -> {
                if (e.vm() && e.granted()) {
                    machine.vm.forceMask = e.mask();
                    machine.vm.forceValue = e.value();
                }
            }
            case MsrFilterStored e -> msrFilterStored(e, machine);
            case MsrExitsStored e -> {
                if (e.error().isEmpty()) {
                    machine.vm.msrExits = e.reasons();
                }
            }
            case PassThroughWithheld e ->
                    vcpu.withheld.put(e.msr(), (e.read() ? 1 : 0) | (e.write() ? 2 : 0));
            case HostMsrFaulted _, UserspaceExited _, UserspaceMsrAsked _ -> {}
        }
    }

    private static void softwareWrite(VcpuState vcpu, int structure, int field, long value) {
        Image image = vcpu.image(structure);
        image.setBySoftware(field, value);
        vcpu.setField(image, field, value);
    }

    /// A write of a field that a clean bit covers is also KVM's marking of that bit as dirty.
    private static void vmcbFieldWritten(VmcbFieldWritten e, VcpuState vcpu, PcpuState pcpu) {
        softwareWrite(vcpu, e.vmcb(), e.field(), e.value());
        if (e.field() == ASID.id()) {
            pcpu.nextAsid = Math.max(pcpu.nextAsid, e.value() + 1);
        }
        int cleanBit = Layout.VMCB.field(e.field()).cleanBit();
        if (cleanBit >= 0) {
            Image image = vcpu.image(e.vmcb());
            image.set(CLEAN.id(), image.get(CLEAN) & ~(1L << cleanBit));
        }
    }

    private static void msrInterceptChanged(MsrInterceptChanged e, VcpuState vcpu) {
        vcpu.bitmaps[VcpuState.slot(e.bitmap())].set(e.msr(), e.read(), e.write());
        if (e.bitmap() == 1) {
            vcpu.set(Kvm.FORCE_BITMAP_RECALC, 1);
        }
    }

    /// Every vCPU is to look again at what it passes through.
    private static void msrFilterStored(MsrFilterStored e, MachineState machine) {
        if (e.error().isEmpty()) {
            machine.vm.msrFilter = e.filter().isEmpty() ? MsrFilter.NONE : e.filter();
            for (VcpuState each : machine.vcpus) {
                each.set(Kvm.RECALC_INTERCEPTS, 1);
            }
        }
    }

    private static void hostMsrRead(HostMsrRead e, VcpuState vcpu, PcpuState pcpu) {
        if (e.cause() == HostCause.EXIT_SAVE && e.msr() == Msrs.SPEC_CTRL) {
            vcpu.set(Kvm.SPEC_CTRL, e.value());
        } else if (e.cause() == HostCause.EXIT_SAVE && Msrs.trace(e.msr())) {
            vcpu.guestTrace.put(e.msr(), e.value());
        } else if (e.cause() == HostCause.ENTRY_SAVE && Msrs.trace(e.msr())) {
            vcpu.hostTrace.put(e.msr(), e.value());
        } else if (e.cause() == HostCause.FPU_PUT) {
            vcpu.extended.fpu.put(e.msr(), e.value());
        } else if (e.cause() == HostCause.LOAD) {
            pcpu.copied(e.msr(), e.value());
        }
    }

    /// What the guest wrote, and what it runs with then (`vmx_spec_ctrl_restore_host` of the RFC, FACTS 2.3).
    private static void vmcsFieldRead(VmcsFieldRead e, VcpuState vcpu) {
        if (e.field() == SPEC_CTRL_SHADOW.id()) {
            long mask = vcpu.kvm(Kvm.FORCE_MASK);
            vcpu.set(Kvm.SPEC_CTRL_SHADOW, e.value());
            vcpu.set(Kvm.SPEC_CTRL, (e.value() & ~mask) | vcpu.kvm(Kvm.FORCE_VALUE));
        }
    }

    private static void hostMsrWritten(HostMsrWritten e, PcpuState pcpu) {
        if (e.msr() != Msrs.PRED_CMD && e.msr() != Msrs.FLUSH_CMD) {
            pcpu.write(e.msr(), e.value());
        }
    }

    private static void hostRegistersLoaded(HostRegistersLoaded e, PcpuState pcpu) {
        Writes written = e.written();
        for (int i = 0; i < written.size(); i++) {
            pcpu.vmload.set(VmloadState.place(Reg.of(~written.place(i))), written.value(i));
        }
    }

    private static void hostStateSaved(HostStateSaved e, VcpuState vcpu, MachineState machine) {
        if (e.area() == SaveArea.HOST) {
            machine.pcpuOf(vcpu).vmload.saveHost();
            vcpu.set(Kvm.GUEST_STATE_LOADED, 1);
            return;
        }
        Writes written = e.written();
        for (int i = 0; i < written.size(); i++) {
            vcpu.setField(vcpu.image(1), written.place(i), written.value(i));
        }
        vcpu.stored(machine.vmsaveStores);
    }
}
