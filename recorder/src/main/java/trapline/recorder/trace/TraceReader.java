package trapline.recorder.trace;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.zip.ZipException;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// Reads a trace of any format, plain or compressed, from a file or a pipe.
///
/// A thread of its own reads and parses ahead of the one that calls.
public final class TraceReader {

    private static final long PATIENCE_MILLIS = 100;
    private static final long PAUSE_NANOS = PATIENCE_MILLIS * 1_000_000;

    private final String name;
    private final InputStream stream;
    private final Batches batches = new Batches();
    private final LineParser parser = new LineParser(batches);
    private final List<String> remarks = new ArrayList<>();
    private LongConsumer progress = bytes -> {};
    private boolean following;

    /// Whether its end may be no end: a file's may not, which tracefs says trace_pipe is, but a pipe's is.
    private final boolean grows;

    private volatile boolean stopped;
    private volatile Throwable failure;

    private TraceReader(InputStream stream, String name) {
        this.stream = stream;
        this.name = name;
        grows = Files.isRegularFile(Path.of(name));
    }

    /// A file, or standard input if it is `-`.
    ///
    /// @throws InputException where it cannot be read
    public static TraceReader of(String file) {
        return of(TraceInput.open(file), file);
    }

    /// A stream, which the reader closes.
    ///
    /// @param name names it in errors
    public static TraceReader of(InputStream stream, String name) {
        return new TraceReader(stream, name.equals("-") ? "standard input" : name);
    }

    /// Whether a file is a container of recorded sessions, which no trace reader reads.
    public static boolean isContainer(Path file) {
        if (!Files.isRegularFile(file)) {
            return false; // what is read of a pipe is gone
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Magic.container(in.readNBytes(4));
        } catch (IOException _) {
            return false;
        }
    }

    /// Hands on what there is without waiting for more, and waits at the end of a file for what is written to it.
    public TraceReader following() {
        following = true;
        return this;
    }

    /// Is told now and then how many bytes of the file, as it is on disk, were read.
    public TraceReader progress(LongConsumer bytes) {
        progress = bytes;
        return this;
    }

    /// Reads all there is.
    ///
    /// @throws InputException where it is no trace, or one without any event of KVM's
    public TraceSummary read(TraceSink sink) {
        Thread worker = Thread.ofPlatform().daemon().name("trace").unstarted(this::work);
        worker.start();
        try {
            deliver(sink, worker);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            stopped = true;
            worker.interrupt();
        }
        rethrow();
        TraceSummary summary = parser.summary(remarks);
        if (summary.format() == null && !stoppedEarly) {
            throw empty(summary);
        }
        return summary;
    }

    private boolean stoppedEarly;

    private void deliver(TraceSink sink, Thread worker) throws InterruptedException {
        boolean asked = false;
        long paused = System.nanoTime();
        while (true) {
            Batch batch = batches.take(PATIENCE_MILLIS);
            if (following && System.nanoTime() - paused >= PAUSE_NANOS) {
                sink.pause();
                paused = System.nanoTime();
            }
            if (batch == Batches.LAST) {
                stoppedEarly = stopped;
                return;
            }
            if (batch != null) {
                batch.deliver(sink);
                progress.accept(batch.bytes);
            } else if (asked || !worker.isAlive()) {
                stoppedEarly = true;
                return;
            } else if (stopped) {
                asked = true;
                worker.interrupt();
            }
        }
    }

    private void rethrow() {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw TraceInput.unreadable(name, failure.getMessage());
        }
    }

    private InputException empty(TraceSummary summary) {
        String skipped =
                summary.skipped().entrySet().stream()
                        .max(Map.Entry.comparingByValue())
                        .map(most ->
                                "; most frequent is %s, %d times"
                                        .formatted(most.getKey(), most.getValue()))
                        .orElse("");
        String malformed =
                summary.first().isEmpty()
                        ? ""
                        : "; line %d: %s"
                                .formatted(
                                        summary.first().getFirst().line(),
                                        summary.first().getFirst().why());
        return new InputException(
                Kind.SYNTAX,
                name,
                "no kvm: event in %d lines%s%s".formatted(summary.lines(), skipped, malformed));
    }

    /// Ends reading soon, from any thread: [#read] then returns what was read up to there.
    public void stop() {
        stopped = true;
    }

    private void work() {
        try {
            try (TraceInput.Counted raw = new TraceInput.Counted(stream)) {
                lines(raw);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (Throwable e) {
            if (!stopped) {
                failure = e;
            }
        } finally {
            end();
        }
    }

    private void end() {
        try {
            Thread.interrupted();
            batches.end();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void lines(TraceInput.Counted raw) throws IOException, InterruptedException {
        Lines lines;
        try {
            lines = new Lines(TraceInput.text(raw, name), parser);
        } catch (EOFException e) {
            throw new InputException(
                    Kind.SYNTAX, name, "the compressed data ends within its heading");
        }
        try {
            while (!stopped && next(lines, raw)) {
                // Goes on.
            }
            if (lines.cut() && !stopped) {
                remarks.add("the last line has no end: it may be cut short");
                lines.last();
            }
        } catch (EOFException | ZipException | com.github.luben.zstd.ZstdIOException e) {
            lines.lastIsCut("expected the rest of the line, found the end of the compressed data");
            remarks.add(
                    "the compressed data is damaged or cut short after %d bytes: what was read before is kept"
                            .formatted(raw.bytes()));
        }
    }

    private boolean next(Lines lines, TraceInput.Counted raw)
            throws IOException, InterruptedException {
        boolean more = lines.more();
        batches.bytes(raw.bytes());
        if (following) {
            batches.flush();
            if (!more && grows) {
                Thread.sleep(PATIENCE_MILLIS);
                return true;
            }
        }
        return more;
    }
}
