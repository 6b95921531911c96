package trapline.replayer.export;

import java.io.IOException;
import trapline.engine.event.Envelope;

/// Events, told as a timeline.
interface Story {

    /// @param wanted whether it is asked for; events that are not are context only
    void event(Envelope envelope, boolean wanted) throws IOException;

    void finish() throws IOException;
}
