package trapline.engine.exit;

import java.util.List;
import trapline.engine.Check;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.Outcome;

/// KVM's side of what userspace asks for: its ioctls, and MSR accesses that are returned to it.
final class Userspace {

    private static final int EXIT_RDMSR = 29;
    private static final int EXIT_WRMSR = 30;

    private final Phases phases;
    private final MsrAccess msrs;
    private final SpecCtrlRequests specCtrl;
    private final MitigationVmm mitigations;

    Userspace(Phases phases, MsrAccess msrs, SpecCtrlRequests specCtrl, MitigationVmm mitigations) {
        this.phases = phases;
        this.msrs = msrs;
        this.specCtrl = specCtrl;
        this.mitigations = mitigations;
    }

    /// Carries out an ioctl; one that the tree does not know is refused with the kernel's error.
    void request(Vcpu v, InputEvent request) {
        switch (request) {
            case UserspaceMsrRequested e -> {
                boolean accepted = msrs.write(v, e.msr(), e.value(), true).done();
                Outcome outcome = accepted ? Outcome.DONE : Outcome.GP;
                v.emit(new UserspaceMsrStored(e.msr(), e.value(), outcome));
            }
            case MsrFilterRequested e -> v.out().emitShared(mitigations.stored(e.filter()));
            case MsrExitsRequested e -> v.out().emitShared(mitigations.stored(e.reasons()));
            case SpecCtrlForceRequested e -> specCtrl.answer(v, e);
            default -> Check.that(false, "%s is no request of userspace's", request);
        }
    }

    /// Whether userspace wants to be told of an access that ended so.
    boolean wants(Vcpu v, MsrResult.Status status) {
        return (v.machine().vm().msrExits() & reason(status).bit()) != 0;
    }

    private static MsrExitReason reason(MsrResult.Status status) {
        return switch (status) {
            case FILTERED -> MsrExitReason.FILTER;
            case UNSUPPORTED -> MsrExitReason.UNKNOWN;
            case INVALID, DONE -> MsrExitReason.INVAL;
        };
    }

    /// KVM_RUN returns over an MSR access, and is called again with what userspace made of it.
    ///
    /// What userspace does in between are ioctls of its own, carried out one by one.
    UserspaceReplied ask(Vcpu v, int msr, boolean write, long value, MsrResult.Status status) {
        UserspaceMsrAsked asked = new UserspaceMsrAsked(msr, write, value, reason(status));
        v.emit(asked);
        phases.exitToUserspace(v, write ? EXIT_WRMSR : EXIT_RDMSR);
        UserspaceReplied reply = null;
        List<InputEvent> answers =
                mitigations.emulates(msr)
                        ? mitigations.answer(asked, v)
                        : v.setup().world().userspace(asked, v.state());
        for (InputEvent answer : answers) {
            v.emit(answer);
            if (answer instanceof UserspaceReplied last) {
                reply = last;
            } else {
                phases.load(v, v.state().pcpu());
                if (answer instanceof SpecCtrlForceRequested force) {
                    specCtrl.mitigate(v, force);
                } else {
                    request(v, answer);
                }
                phases.put(v);
            }
        }
        Check.that(reply != null, "userspace did not reply to %s", asked);
        phases.load(v, v.state().pcpu());
        return reply;
    }
}
