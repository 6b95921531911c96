package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import trapline.engine.cost.CostProfile;
import trapline.journal.Journal;
import trapline.schemas.CatalogueEntry;

/// Comparisons of two policies: one runs, four wait, the newest eight can be looked at.
final class DiffRoutes implements Routes {

    private static final int MOST_WAITING = 4;
    private static final int MOST_KEPT = 8;
    private static final int ID_BYTES = 8;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Journal journal;
    private final Uploads uploads;
    private final SecureRandom random = new SecureRandom();
    private final SequencedMap<String, DiffJob> jobs = new LinkedHashMap<>();
    private final ThreadPoolExecutor worker =
            new ThreadPoolExecutor(
                    1,
                    1,
                    0,
                    TimeUnit.SECONDS,
                    new ArrayBlockingQueue<>(MOST_WAITING),
                    task -> Thread.ofPlatform().daemon().name("trapline-diffs").unstarted(task));

    DiffRoutes(Journal journal, Uploads uploads) {
        this.journal = journal;
        this.uploads = uploads;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.post("/api/sessions/{session}/diffs", this::begin);
        routes.get("/api/diffs/{job}", this::tell);
        routes.delete("/api/diffs/{job}", this::cancel);
    }

    private void begin(Context context) {
        DiffJob.Question question = question(context);
        DiffJob job = new DiffJob(journal, question);
        String id = id();
        synchronized (jobs) {
            worker.getQueue()
                    .removeIf(waiting -> ((DiffJob) waiting).state() == DiffJob.State.CANCELLED);
            try {
                worker.execute(job);
            } catch (RejectedExecutionException e) {
                throw new Problem(
                        429,
                        "%d comparisons are waiting already: try again".formatted(MOST_WAITING));
            }
            jobs.put(id, job);
            while (jobs.size() > MOST_KEPT) {
                jobs.pollFirstEntry().getValue().cancel();
            }
        }
        context.status(202);
        Answers.send(context, Map.of("job", id));
    }

    private String id() {
        byte[] bytes = new byte[ID_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private DiffJob.Question question(Context context) {
        JsonNode asked = body(context);
        CatalogueEntry session = Catalogue.find(journal, context.pathParam("session"));
        if (session.header().imported()) {
            throw new Problem(
                    409,
                    "session %s is an imported trace: 'trapline diff' compares policies on it, with --base and --cpu"
                            .formatted(session.header().session()));
        }
        String candidate =
                text(asked, "candidate")
                        .orElseThrow(() -> Problem.badRequest("candidate: expected a policy"));
        return new DiffJob.Question(
                session,
                text(asked, "base").map(uploads::resolve),
                uploads.resolve(candidate),
                text(asked, "costs").map(name -> CostProfile.find(name, _ -> Optional.empty())));
    }

    private static JsonNode body(Context context) {
        try {
            JsonNode asked = JSON.readTree(context.bodyAsBytes());
            if (asked != null && asked.isObject()) {
                return asked;
            }
        } catch (JsonProcessingException e) {
            throw Problem.badRequest(
                    "line %d, column %d: expected JSON",
                    e.getLocation().getLineNr(), e.getLocation().getColumnNr());
        } catch (IOException e) {
            throw Problem.badRequest("the request's body cannot be read");
        }
        throw Problem.badRequest("expected a JSON object with base, candidate and costs");
    }

    private static Optional<String> text(JsonNode asked, String name) {
        JsonNode value = asked.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw Problem.badRequest("%s: expected a text", name);
        }
        return Optional.of(value.asText()).filter(text -> !text.isBlank());
    }

    private DiffJob job(Context context) {
        synchronized (jobs) {
            DiffJob job = jobs.get(context.pathParam("job"));
            if (job == null) {
                throw Problem.notFound("no such comparison, or its result is not kept any more");
            }
            return job;
        }
    }

    private void tell(Context context) {
        context.contentType(Answers.JSON).result(job(context).text().getBytes(UTF_8));
    }

    private void cancel(Context context) {
        DiffJob job = job(context);
        job.cancel();
        context.contentType(Answers.JSON).result(job.text().getBytes(UTF_8));
    }

    @Override
    public void close() {
        synchronized (jobs) {
            jobs.values().forEach(DiffJob::cancel);
        }
        worker.shutdown();
        try {
            worker.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
