package trapline.replayer.export;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent;
import trapline.replayer.EventFields;
import trapline.replayer.EventQuery;
import trapline.replayer.Session;

/// What is exported: a session's events that fit a query.
///
/// @param scratch a folder for files that are gone in the end
/// @param weight what folded stacks weigh
/// @param notes told what the form had to leave out
/// @param progress told now and then how many events have been looked at; may end it by an exception
public record Export(
        Session session,
        EventQuery query,
        Path scratch,
        Weight weight,
        Consumer<String> notes,
        LongConsumer progress) {

    /// Exits, or nanoseconds from exits to entries.
    public enum Weight {
        COUNT,
        TIME
    }

    private static final int OFTEN = 4096;

    /// Receives events in order.
    public interface Sink {
        void event(Envelope envelope) throws IOException;
    }

    /// Receives events in order, with those that do not fit and are context.
    public interface Reader {
        void event(Envelope envelope, boolean fits) throws IOException;
    }

    /// Hands over each event that fits, and says how many did.
    long each(Sink sink) throws IOException {
        long[] counts = new long[2];
        return run(
                query,
                envelope -> {
                    counts[0]++;
                    sink.event(envelope);
                },
                counts);
    }

    /// Hands over each event up to the last asked for, and says how many fit.
    long all(Reader reader) throws IOException {
        EventQuery before =
                new EventQuery(1, query.to(), Optional.empty(), Set.of(), Optional.empty());
        query.check(session);
        long[] counts = new long[2];
        return run(
                before,
                envelope -> {
                    boolean fits = query.fits(session, envelope);
                    counts[0] += fits ? 1 : 0;
                    reader.event(envelope, fits);
                },
                counts);
    }

    /// @param counts how many events were taken, and how many looked at
    private long run(EventQuery events, Sink sink, long[] counts) throws IOException {
        try {
            events.run(
                    session,
                    envelope -> accept(sink, envelope),
                    () -> {
                        if (++counts[1] % OFTEN == 0) {
                            progress.accept(counts[1]);
                        }
                        return true;
                    });
        } catch (Failed e) {
            throw e.getCause();
        }
        return counts[0];
    }

    /// The fields that an event of what is asked for may have, by what is asked for alone.
    SequencedSet<String> fields() {
        boolean observed = session.imported();
        return EventFields.names(
                query.eventTypes().stream()
                        .filter(type -> ObservedEvent.class.isAssignableFrom(type) == observed)
                        .toList());
    }

    /// Of the sink's own, and of nobody else's.
    private static final class Failed extends UncheckedIOException {

        private static final long serialVersionUID = 1;

        Failed(IOException cause) {
            super(cause);
        }
    }

    private static void accept(Sink sink, Envelope envelope) {
        try {
            sink.event(envelope);
        } catch (IOException e) {
            throw new Failed(e);
        }
    }
}
