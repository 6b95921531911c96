package trapline.recorder.trace;

import com.github.luben.zstd.ZstdInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// The bytes of a trace, as they are or decompressed.
final class TraceInput {

    private static final int BLOCK = 64 << 10;

    private TraceInput() {}

    static InputStream open(String file) {
        if (file.equals("-")) {
            return System.in;
        }
        Path path = Path.of(file);
        try {
            if (Files.isDirectory(path)) {
                throw unreadable(file, "expected a file, found a folder");
            }
            return Channels.newInputStream(Files.newByteChannel(path));
        } catch (NoSuchFileException e) {
            throw unreadable(file, "no such file");
        } catch (AccessDeniedException e) {
            throw unreadable(file, "not allowed to read it");
        } catch (IOException e) {
            throw unreadable(file, e.getMessage());
        }
    }

    static InputException unreadable(String name, String why) {
        return new InputException(Kind.UNREADABLE, name, why);
    }

    /// Decompresses what is compressed, and refuses what is no text.
    static InputStream text(Counted raw, String name) throws IOException {
        Peeked in = new Peeked(raw);
        if (!Magic.gzip(in.head()) && !Magic.zstd(in.head())) {
            Magic.refuse(in.head(), name);
            return in;
        }
        InputStream plain =
                Magic.gzip(in.head()) ? new GZIPInputStream(in, BLOCK) : new ZstdInputStream(in);
        Peeked text = new Peeked(new Expanded(plain, raw, name));
        Magic.refuse(text.head(), name);
        return text;
    }

    /// Counts the bytes that the file has given.
    static final class Counted extends FilterInputStream {

        private long bytes;

        Counted(InputStream in) {
            super(in);
        }

        long bytes() {
            return bytes;
        }

        @Override
        public int read() throws IOException {
            int read = in.read();
            bytes += read < 0 ? 0 : 1;
            return read;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int read = in.read(buffer, from, length);
            bytes += Math.max(0, read);
            return read;
        }
    }

    /// Ends where a few bytes become more text than any trace does.
    private static final class Expanded extends FilterInputStream {

        private static final int MOST_FOLD = 400;
        private static final long UNCHECKED = 256L << 20;

        private final Counted raw;
        private final String name;
        private long bytes;

        Expanded(InputStream in, Counted raw, String name) {
            super(in);
            this.raw = raw;
            this.name = name;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int read = in.read(buffer, from, length);
            bytes += Math.max(0, read);
            if (bytes > UNCHECKED && bytes / MOST_FOLD > raw.bytes()) {
                throw new InputException(
                        Kind.TOO_LARGE,
                        name,
                        ("%d MiB of compressed data became more than %d MiB: more than %d-fold, which no trace"
                                        + " does; decompress it yourself to import it all the same")
                                .formatted(raw.bytes() >> 20, bytes >> 20, MOST_FOLD));
            }
            return read;
        }
    }
}
