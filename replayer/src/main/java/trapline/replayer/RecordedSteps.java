package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.guest.Ops;
import trapline.engine.guest.Step;
import trapline.replayer.observed.ObservedStep;

/// Finds in a session's events the steps that made them: the guest's ops and what came from outside.
final class RecordedSteps {

    private final boolean fromLog;
    private final List<InputEvent> answers = new ArrayList<>();

    RecordedSteps(boolean fromLog) {
        this.fromLog = fromLog;
    }

    /// One step and the answers that the world gave while it ran.
    ///
    /// @param op the ordinal of the guest op; that of the last one for an input
    record Recorded(int vcpu, long op, Step step, List<InputEvent> answers) {

        static Recorded of(ObservedStep step) {
            return new Recorded(step.vcpu(), step.op(), step.step(), step.answers());
        }
    }

    /// The step that ends with this event, or null.
    Recorded accept(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        long op = envelope.stamp().op();
        return switch (envelope.event()) {
            case GuestEvent event -> {
                List<InputEvent> given = answers.isEmpty() ? List.of() : List.copyOf(answers);
                answers.clear();
                yield new Recorded(vcpu, op, new Step.Do(Ops.of(event, fromLog)), given);
            }
            case TimestampRead answer -> answer(answer);
            case DeviceRead answer -> answer(answer);
            case UserspaceReplied answer -> answer(answer);
            case InterruptArrived input -> outside(vcpu, op, input, envelope);
            case HostPreempted input -> outside(vcpu, op, input, envelope);
            case UserspaceMsrRequested input -> request(vcpu, op, input, envelope);
            case MsrFilterRequested input -> request(vcpu, op, input, envelope);
            case MsrExitsRequested input -> request(vcpu, op, input, envelope);
            case SpecCtrlForceRequested input ->
                    input.vm() ? null : request(vcpu, op, input, envelope);
            default -> null;
        };
    }

    private Recorded answer(InputEvent answer) {
        answers.add(answer);
        return null;
    }

    /// What userspace asked for while it had an MSR access to answer is part of the answer.
    private Recorded request(int vcpu, long op, InputEvent input, Envelope envelope) {
        return envelope.stamp().cause() != 0 ? answer(input) : outside(vcpu, op, input, envelope);
    }

    private static Recorded outside(int vcpu, long op, InputEvent input, Envelope envelope) {
        return new Recorded(
                vcpu, op, new Step.Meanwhile(input, envelope.stamp().tick()), List.of());
    }
}
