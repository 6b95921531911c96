package trapline.journal.kafka;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import trapline.journal.JournalException;
import trapline.journal.SessionWriter;
import trapline.journal.kafka.Cluster.Presence;
import trapline.journal.kafka.EventFeed.Aside;
import trapline.journal.session.Closing;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.Frame;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// Records one session into Kafka.
final class KafkaWriter implements SessionWriter {

    /// How long a failed recording tries to say so in the catalogue.
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);

    private final Recording recording;
    private final CatalogueEntry opened;
    private final EventFeed feed;
    private final Keeper keeper;
    private final Presence presence;
    private final Consumer<SessionWriter> done;
    private final Frame<CatalogueEntry> entryFrame;
    private final Frame<CatalogueEntry> heartbeatFrame;
    private final Frame<ExitObserved> exitFrame;
    private final Frame<ExitStatistics> statisticsFrame;
    private final Frame<ViolationObserved> violationFrame;
    private final Frame<InterceptionObserved> interceptionFrame;
    private JournalException torn;
    private boolean closed;

    /// @param opened the entry that opened the session in the catalogue
    /// @param done what to do when this is closed
    KafkaWriter(
            Recording recording,
            CatalogueEntry opened,
            EventFeed feed,
            Presence presence,
            Consumer<SessionWriter> done) {
        this.recording = recording;
        this.opened = opened;
        this.feed = feed;
        this.presence = presence;
        this.done = done;
        entryFrame = recording.frame(CatalogueEntry.CODEC);
        heartbeatFrame = recording.frame(CatalogueEntry.CODEC);
        exitFrame = recording.frame(ExitObserved.CODEC);
        statisticsFrame = recording.frame(ExitStatistics.CODEC);
        violationFrame = recording.frame(ViolationObserved.CODEC);
        interceptionFrame = recording.frame(InterceptionObserved.CODEC);
        keeper = new Keeper(recording, feed, this::heartbeat);
    }

    @Override
    public void append(byte[] event) {
        feed.append(event);
        checkIntact();
    }

    @Override
    public long acknowledged() {
        return feed.acknowledged();
    }

    @Override
    public void checkpoint(Checkpoint checkpoint) {
        keeper.add(checkpoint);
        checkIntact();
    }

    @Override
    public void exit(ExitObserved exit) {
        feed.append(new Aside(recording.exits(), exitFrame.encode(exit)));
    }

    @Override
    public void statistics(ExitStatistics statistics) {
        feed.append(new Aside(recording.exitStatistics(), statisticsFrame.encode(statistics)));
    }

    @Override
    public void violation(ViolationObserved violation) {
        feed.append(new Aside(recording.violations(), violationFrame.encode(violation)));
    }

    @Override
    public void interception(InterceptionObserved interception) {
        feed.append(new Aside(recording.interceptions(), interceptionFrame.encode(interception)));
    }

    @Override
    public void finish(ClosingRecord closing) {
        feed.awaitAll();
        checkIntact();
        keeper.finish();
        checkIntact();
        Status status = closing.reason().isEmpty() ? Status.CLOSED : Status.TORN;
        ClosingRecord counted = Closing.withCheckpoints(closing, keeper.checkpoints());
        try {
            write(entry(status, keeper.pages(), Optional.of(counted)));
        } catch (JournalException e) {
            feed.fail(e);
            checkIntact();
        }
        close();
    }

    @Override
    public String place() {
        return recording.events().toString();
    }

    /// Throws what tore the session, if anything did.
    private void checkIntact() {
        if (torn != null) {
            throw torn;
        }
        if (feed.isBroken()) {
            tear(feed.failure().orElseThrow());
            throw torn;
        }
    }

    private void tear(Throwable cause) {
        JournalException why = KafkaFailure.of(cause, place(), "take more events");
        torn =
                new JournalException(
                        why.kind(),
                        "",
                        "%s; session %s ends torn: of %d events the log has the first %d"
                                .formatted(
                                        why.getMessage(),
                                        recording.session(),
                                        feed.appended(),
                                        feed.acknowledged()),
                        cause);
        feed.fail(cause);
        keeper.close();
        sayTorn();
        close();
    }

    /// If this does not succeed in time, readers find the session torn by its silence.
    private void sayTorn() {
        CatalogueEntry last = entry(Status.TORN, keeper.pages(), Optional.empty());
        Thread words =
                Thread.ofPlatform()
                        .daemon()
                        .name("trapline-last-words")
                        .start(() -> {
                            try {
                                write(last);
                            } catch (JournalException e) {
                                // The first failure is the one to report.
                            }
                        });
        try {
            words.join(LAST_WORDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Runs in the keeper's thread.
    private void heartbeat() {
        recording
                .notes()
                .send(
                        recording.catalogue(),
                        recording.session(),
                        heartbeatFrame.encode(entry(Status.OPEN, keeper.pages(), Optional.empty())),
                        (_, _) -> {});
    }

    private void write(CatalogueEntry entry) {
        recording
                .notes()
                .write(recording.catalogue(), recording.session(), entryFrame.encode(entry));
    }

    private CatalogueEntry entry(Status status, int pages, Optional<ClosingRecord> closing) {
        return new CatalogueEntry(
                opened.header(),
                status,
                System.currentTimeMillis(),
                opened.partition(),
                opened.firstOffset(),
                feed.acknowledged(),
                pages,
                closing);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            keeper.close();
            feed.close();
            presence.close();
            done.accept(this);
        }
    }
}
