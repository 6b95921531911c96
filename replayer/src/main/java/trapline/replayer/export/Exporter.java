package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;

/// Writes the events that somebody asked for in one form.
///
/// Memory stays flat, however long the session; what is written is whole once the method returns.
public interface Exporter {

    /// Leaves the stream open; says how many events there were.
    long write(Export what, OutputStream out) throws IOException;
}
