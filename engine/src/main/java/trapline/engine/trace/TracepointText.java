package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Reads the text of a tracepoint, what follows `event: ` in a trace, whichever tree printed it.
///
/// One for each thread: it reuses what it reads into.
public final class TracepointText {

    /// The fields that the text tells of; null where it is no text of this tracepoint, which [#problem] then tells.
    ///
    /// @param text bytes of which `from` (inclusive) to `to` (exclusive) are read
    public TraceFields parse(Tracepoint point, byte[] text, int from, int to) {
        return null;
    }

    /// What the last text that was none had, and what was expected.
    public String problem() {
        return "";
    }
}
