package trapline.engine.exit;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.event.HypervisorEvent.MsrExitsStored;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.policy.MitigationMsrs.By;
import trapline.engine.table.Msrs;

/// Userspace that emulates the virtual MSRs itself, as KVM's maintainer would have it (FACTS 2.5).
///
/// Its MSR filter makes accesses return to it. What the guest tells, it has forced by an ioctl of the vCPU, by the
/// same rules as the RFC's KVM; what it was asked to force by itself comes first.
final class MitigationVmm {

    private static final int MOST_RANGES = 16;
    private static final int REASONS = MsrExitReason.FILTER.bit();

    private static final MsrFilterRange OWN =
            new MsrFilterRange(
                    true, true, Msrs.VIRTUAL_ENUMERATION, VirtualMsrs.COUNT, new long[1]);

    private final boolean present;
    private final boolean filters;

    MitigationVmm(Setup setup) {
        present = setup.policy().mechanisms().mitigationMsrs().by() == By.USERSPACE;
        filters = setup.policy().mechanisms().msrFilter().available();
    }

    /// Before the VM has vCPUs: userspace asks to be told of what its filter denies.
    void setUp(Vcpu first) {
        if (present) {
            first.out().emitShared(new MsrExitsStored(REASONS, filters ? "" : "EINVAL"));
            MsrFilter own = new MsrFilter(false, List.of(OWN));
            first.out().emitShared(new MsrFilterStored(own, filters ? "" : "ENOTTY"));
        }
    }

    /// Any other filter of userspace's has its range in front.
    MsrFilterStored stored(MsrFilter wanted) {
        if (!present) {
            return new MsrFilterStored(wanted, filters ? "" : "ENOTTY");
        }
        List<MsrFilterRange> ranges = new ArrayList<>(List.of(OWN));
        ranges.addAll(wanted.ranges());
        String refused = ranges.size() > MOST_RANGES ? "EINVAL" : "";
        return new MsrFilterStored(
                new MsrFilter(wanted.deniesByDefault(), ranges), filters ? refused : "ENOTTY");
    }

    MsrExitsStored stored(int reasons) {
        return new MsrExitsStored(present ? reasons | REASONS : reasons, filters ? "" : "EINVAL");
    }

    /// Whether an access that returned to userspace is its own affair.
    boolean emulates(int msr) {
        return present && VirtualMsrs.isOne(msr);
    }

    /// What it does about such an access.
    List<InputEvent> answer(UserspaceMsrAsked asked, Vcpu v) {
        boolean shown = (v.setup().model().archCapabilities() & ArchCapabilities.VIRTUAL_ENUM) != 0;
        boolean control = asked.msr() == Msrs.VIRTUAL_MITIGATION_CTRL;
        if (!asked.write()) {
            long value = shown ? value(v, asked.msr()) : 0;
            return List.of(new UserspaceReplied(asked.msr(), false, value, !shown));
        }
        boolean valid = shown && control && (asked.value() & ~VirtualMsrs.MITIGATIONS) == 0;
        UserspaceReplied reply =
                new UserspaceReplied(asked.msr(), true, valid ? asked.value() : 0, !valid);
        return valid ? forced(v, asked.value(), reply) : List.of(reply);
    }

    private static long value(Vcpu v, int msr) {
        if (msr == Msrs.VIRTUAL_ENUMERATION) {
            return VirtualMsrs.CTRL_SUPPORT;
        }
        return msr == Msrs.VIRTUAL_MITIGATION_ENUM
                ? VirtualMsrs.MITIGATIONS
                : v.state().userspaceMsr(msr).orElse(0);
    }

    /// The ioctl, if anything is to be forced otherwise than it is; then the reply.
    private static List<InputEvent> forced(Vcpu v, long used, UserspaceReplied reply) {
        long mask = v.state().kvm(Kvm.REQUESTED_MASK);
        long bits = VirtualMsrs.hardwareBits(v, used) & ~mask;
        long value = v.state().kvm(Kvm.REQUESTED_VALUE) | bits;
        boolean same =
                (mask | bits) == v.state().kvm(Kvm.FORCE_MASK)
                        && value == v.state().kvm(Kvm.FORCE_VALUE);
        return same
                ? List.of(reply)
                : List.of(new SpecCtrlForceRequested(false, mask | bits, value), reply);
    }
}
