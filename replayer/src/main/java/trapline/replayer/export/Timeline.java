package trapline.replayer.export;

import java.io.IOException;
import java.util.Map;

/// What viewers of traces draw: rows of slices that nest, instants, counters, arrows. Times are in nanoseconds.
interface Timeline {

    /// A row, before its first slice. Its number is the caller's choice.
    void row(int row, String name) throws IOException;

    /// A counter, before its first value. Its number is the caller's choice, among rows and counters.
    void counter(int counter, String name) throws IOException;

    void begin(int row, long time, String name, Map<String, Object> details, Arrows arrows)
            throws IOException;

    /// Ends the row's slice that began last.
    void end(int row, long time) throws IOException;

    void instant(int row, long time, String name, Map<String, Object> details) throws IOException;

    void value(int counter, long time, long value) throws IOException;

    /// Nothing follows.
    void finish() throws IOException;

    /// The arrows at a slice, each with a number of its own.
    ///
    /// @param from here to effects
    /// @param to here from the cause; 0 for none
    record Arrows(long[] from, long to) {
        static final Arrows NONE = new Arrows(new long[0], 0);
    }
}
