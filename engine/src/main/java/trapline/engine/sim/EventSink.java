package trapline.engine.sim;

import trapline.engine.event.Envelope;

/// Receives every event of an execution, in order, after it has been applied.
public interface EventSink {

    void accept(Envelope envelope);
}
