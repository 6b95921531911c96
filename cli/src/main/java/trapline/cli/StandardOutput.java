package trapline.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;

/// Standard output, which ends the command where nobody takes its results any more.
///
/// A plain [PrintWriter] would go on in silence. Always UTF-8: other programs read what is written.
final class StandardOutput extends FileOutputStream {

    /// Standard output cannot be written: its reader has gone, or the disk is full.
    static final class Closed extends UncheckedIOException {

        private static final long serialVersionUID = 1;

        Closed(IOException cause) {
            super(cause);
        }

        boolean readerHasGone() {
            return "Broken pipe".equals(getCause().getMessage());
        }
    }

    private boolean closed;

    private StandardOutput() {
        super(FileDescriptor.out);
    }

    /// Flushed by those who stream, and at the end.
    static PrintWriter writer() {
        return new PrintWriter(new OutputStreamWriter(new StandardOutput(), UTF_8));
    }

    /// For bytes, flushed by those who write them.
    static OutputStream stream() {
        return new BufferedOutputStream(new StandardOutput(), 1 << 16);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        if (closed) {
            return;
        }
        try {
            super.write(bytes, from, length);
        } catch (IOException e) {
            closed = true;
            throw new Closed(e);
        }
    }
}
