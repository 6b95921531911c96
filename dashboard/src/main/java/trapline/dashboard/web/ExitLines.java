package trapline.dashboard.web;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.replayer.Names;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ExitObserved;

/// Every exit of one session as a line of JSON: first what is there, then what comes.
///
/// Each reader has a tail of its own, which waits while the reader does.
final class ExitLines implements Routes {

    private static final int MOST_READERS = 8;
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final long SECOND_NANOS = 1_000_000_000L;
    private static final long QUIET_NANOS = 15 * SECOND_NANOS;
    private static final JsonFactory JSON = new JsonFactory();

    private final Journal journal;
    private final Semaphore readers = new Semaphore(MOST_READERS);

    ExitLines(Journal journal) {
        this.journal = journal;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/api/exits.ndjson", this::answer);
    }

    private void answer(Context context) throws IOException {
        CatalogueEntry entry = Catalogue.find(journal, Parameters.text(context, "session"));
        boolean follow = Parameters.optional(context, "follow").filter("true"::equals).isPresent();
        if (!readers.tryAcquire()) {
            throw new Problem(429, "%d readers are here already".formatted(MOST_READERS));
        }
        try (ExitTail tail = journal.exits(entry.header())) {
            context.contentType("application/x-ndjson;charset=utf-8");
            write(context.res().getOutputStream(), tail, entry, follow);
        } finally {
            readers.release();
        }
    }

    private void write(OutputStream out, ExitTail tail, CatalogueEntry entry, boolean follow)
            throws IOException {
        try (JsonGenerator lines = JSON.createGenerator(out)) {
            lines.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
            lines.setPrettyPrinter(new MinimalPrettyPrinter(""));
            try {
                copy(tail, follow ? new Ending(entry) : null, lines, out);
            } catch (JournalException e) {
                lines.writeStartObject();
                lines.writeStringField("error", e.getMessage());
                lines.writeEndObject();
                lines.writeRaw('\n');
            }
        }
    }

    /// @param ending null where what is there already is enough
    private static void copy(ExitTail tail, Ending ending, JsonGenerator lines, OutputStream out)
            throws IOException {
        boolean live = false;
        boolean over = false;
        long wrote = System.nanoTime();
        while (!over) {
            live |= tail.caughtUp();
            over = ending == null ? live : ending.reachedBy(tail);
            List<ExitObserved> exits = tail.poll(PATIENCE).exits();
            for (ExitObserved exit : exits) {
                write(exit, live, lines);
                lines.writeRaw('\n');
            }
            if (!exits.isEmpty() || System.nanoTime() - wrote > QUIET_NANOS) {
                if (exits.isEmpty()) {
                    lines.writeRaw('\n'); // shows whether the reader is there still
                }
                wrote = System.nanoTime();
                lines.flush();
                out.flush();
            }
        }
    }

    /// When a session that is followed is at its end.
    private final class Ending {

        private final CatalogueEntry entry;
        private boolean ended;
        private long asked;

        Ending(CatalogueEntry entry) {
            this.entry = entry;
        }

        /// Once it has ended, what its topic had then is still to come.
        boolean reachedBy(ExitTail tail) {
            if (!ended && tail.caughtUp() && System.nanoTime() - asked > SECOND_NANOS) {
                asked = System.nanoTime();
                if (hasEnded()) {
                    tail.mark();
                    ended = true;
                }
            }
            return ended && tail.caughtUp();
        }

        private boolean hasEnded() {
            try {
                String session = entry.header().session();
                return Catalogue.find(journal, session).status() != Status.OPEN;
            } catch (JournalException e) {
                return false; // brokers come back
            }
        }
    }

    private static void write(ExitObserved exit, boolean live, JsonGenerator line)
            throws IOException {
        line.writeStartObject();
        line.writeStringField("session", exit.session());
        line.writeNumberField("order", exit.stamp().order());
        line.writeNumberField("vcpu", exit.stamp().vcpu());
        line.writeNumberField("seq", exit.stamp().seq());
        line.writeNumberField("pcpu", exit.stamp().pcpu());
        line.writeNumberField("tick", exit.stamp().tick());
        line.writeNumberField("op", exit.stamp().op());
        line.writeNumberField("level", exit.level());
        line.writeStringField("vendor", exit.reason().vendor().name());
        line.writeStringField("reason", Names.hex(exit.reason().number()));
        line.writeStringField("reasonName", exit.reason().name());
        line.writeStringField("qualification", Names.hex(exit.reason().qualification()));
        line.writeStringField("rip", Names.hex(exit.rip()));
        subject(exit.subject(), line);
        line.writeBooleanField("reflected", exit.effort().reflected());
        line.writeNumberField("events", exit.effort().events());
        line.writeNumberField("mutations", exit.effort().mutations());
        line.writeNumberField("hostMsrReads", exit.effort().hostMsrReads());
        line.writeNumberField("hostMsrWrites", exit.effort().hostMsrWrites());
        line.writeBooleanField("userspace", exit.effort().userspace());
        line.writeNumberField("recordedMillis", exit.recordedMillis());
        if (exit.took().nanos().isPresent()) {
            line.writeNumberField("handledNanos", exit.took().nanos().get());
        }
        if (exit.took().cycles().isPresent()) {
            line.writeNumberField("handledCycles", exit.took().cycles().get());
        }
        line.writeBooleanField("live", live);
        line.writeEndObject();
    }

    private static void subject(ExitObserved.Subject subject, JsonGenerator line)
            throws IOException {
        if (subject.msr().isPresent()) {
            line.writeStringField("msr", Names.hex(Integer.toUnsignedLong(subject.msr().get())));
        }
        if (subject.port().isPresent()) {
            line.writeNumberField("port", subject.port().get());
        }
        if (subject.write().isPresent()) {
            line.writeBooleanField("write", subject.write().get());
        }
    }
}
