package trapline.engine.sim;

import trapline.engine.event.Envelope;
import trapline.engine.event.Moment;

/// Receives every event of an execution, in order, after it has been applied.
public interface EventSink {

    void accept(Envelope envelope);

    /// A vCPU's run has come to a point at which safety rules judge.
    default void at(Moment moment, int vcpu) {}
}
