package trapline.engine.exit;

import trapline.engine.event.HypervisorEvent.SpecCtrlForceAnswered;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.Kvm;
import trapline.engine.policy.SpecCtrlForce.By;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// Userspace's requests to force bits of SPEC_CTRL: `KVM_CAP_FORCE_SPEC_CTRL`, or a vCPU's ioctl.
///
/// FACTS 2.3 and 2.5. The ioctl was only suggested: it is granted as the capability is, at any time.
final class SpecCtrlRequests {

    private static final String REFUSED = "EINVAL";

    private final VendorCode vendor;
    private final SpecCtrl specCtrl;

    SpecCtrlRequests(VendorCode vendor, SpecCtrl specCtrl) {
        this.vendor = vendor;
        this.specCtrl = specCtrl;
    }

    /// Before the VM has vCPUs. A scope of vCPUs has to wait until there are some.
    void beforeVcpus(Vcpu first, SpecCtrlForceRequested request) {
        if (!perVcpu(first)) {
            boolean granted = valid(first, request.mask(), request.value());
            first.out()
                    .emitShared(
                            new SpecCtrlForceAnswered(
                                    true, request.mask(), request.value(), granted ? "" : REFUSED));
        }
    }

    /// The vCPU has just been made.
    void made(Vcpu v, SpecCtrlForceRequested request) {
        if (perVcpu(v)) {
            answer(v, request);
        }
    }

    /// While the vCPU is there. The capability is refused as soon as there are vCPUs.
    void answer(Vcpu v, SpecCtrlForceRequested request) {
        long mask = request.mask();
        long value = request.value();
        if (answered(v, mask, value)) {
            v.set(Kvm.REQUESTED_MASK, mask);
            v.set(Kvm.REQUESTED_VALUE, value);
            long bits = VirtualMsrs.hardwareBits(v, v.state().kvm(Kvm.VIRTUAL_MITIGATION_CTRL));
            bits &= ~mask;
            specCtrl.force(v, mask | bits, value | bits, true);
        }
    }

    /// Userspace asks for what it wants itself and what a guest's mitigation needs.
    void mitigate(Vcpu v, SpecCtrlForceRequested request) {
        if (answered(v, request.mask(), request.value())) {
            specCtrl.force(v, request.mask(), request.value(), true);
        }
    }

    private boolean answered(Vcpu v, long mask, long value) {
        boolean granted = perVcpu(v) && valid(v, mask, value);
        SpecCtrlForceAnswered answer =
                new SpecCtrlForceAnswered(!perVcpu(v), mask, value, granted ? "" : REFUSED);
        if (perVcpu(v)) {
            v.emit(answer);
        } else {
            v.out().emitShared(answer);
        }
        return granted;
    }

    private static boolean perVcpu(Vcpu v) {
        return v.setup().policy().mechanisms().forceScope().perVcpu();
    }

    /// A mask may have any bits: what has no bit in the value is forced off.
    private boolean valid(Vcpu v, long mask, long value) {
        long supported = supported(v);
        return supported != 0 && (value & ~supported) == 0 && (value & ~mask) == 0;
    }

    /// The bits that can be forced on (`KVM_GET_SUPPORTED_FORCE_SPEC_CTRL`).
    private long supported(Vcpu v) {
        if (vendor.specCtrlForce().by() == By.NONE) {
            return 0;
        }
        boolean rrsba =
                (v.setup().platform().archCapabilities()
                                & Bits.msrBit(Msrs.ARCH_CAPABILITIES, "RRSBA"))
                        != 0;
        return bit("IBRS", true)
                | bit("STIBP", v.setup().platform().has("INTEL_STIBP"))
                | bit("SSBD", v.setup().platform().has("SPEC_CTRL_SSBD"))
                | bit("RRSBA_DIS_S", v.setup().platform().has("RRSBA_CTRL") && rrsba)
                | bit("BHI_DIS_S", v.setup().platform().has("BHI_CTRL"));
    }

    private static long bit(String name, boolean has) {
        return has ? Bits.msrBit(Msrs.SPEC_CTRL, name) : 0;
    }
}
