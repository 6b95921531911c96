package trapline.recorder.trace;

import java.util.List;
import java.util.SortedMap;
import trapline.engine.event.ObservedEvent.TraceClock;

/// What was read of a trace, and what was not.
///
/// @param parsed how many of each event became facts, by its name
/// @param skipped how many of each other event there were, by its name
/// @param malformed lines that should be events and are none
/// @param first the first few of them
/// @param gaps places where the tracer lost events
/// @param lost how many it lost, as far as it told
/// @param remarks sentences about the whole that its user should read: time that runs backwards, a file that is cut short
public record TraceSummary(
        TraceFormat format,
        TraceClock clock,
        long lines,
        SortedMap<String, Long> parsed,
        SortedMap<String, Long> skipped,
        long malformed,
        List<Malformed> first,
        long gaps,
        long lost,
        List<String> remarks) {

    /// @param why "expected X, found Y"
    /// @param text the line, shortened, with anything unprintable escaped
    public record Malformed(long line, String why, String text) {}
}
