package trapline.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.journal.Journal;
import trapline.replayer.EventQuery;
import trapline.replayer.Session;
import trapline.replayer.export.Export;
import trapline.replayer.export.Form;

/// `export`: a session in a form that another tool opens.
@Command(
        name = "export",
        description = "Writes a session in a form that other tools open.",
        footer = {
            "",
            "Forms:",
            "  json      one object a line, as 'events --format json' prints them",
            "  csv       a table with a header, RFC 4180 with LF; a column event.FIELD for each field",
            "            of the events that --type allows; a text that a spreadsheet would take for a",
            "            formula begins with an apostrophe",
            "  avro      the session itself as an Avro container file, as a file: log holds it",
            "  parquet   a row for each event; typed columns for what is asked for most, 64-bit values as",
            "            unsigned numbers, JSON for the rest (fields)",
            "  perfetto  a timeline for ui.perfetto.dev: a row for each vCPU, exits until the next entry as",
            "            slices with arrows to what they caused, and as counters SPEC_CTRL and which",
            "            accesses to an MSR are intercepted (1 reads, 2 writes, 3 both). An imported trace",
            "            keeps its time; a session of the model has an event each microsecond",
            "  chrome    the same in JSON, for chrome://tracing and speedscope",
            "  folded    a line for each vCPU, reason, MSR or port, and guest RIP, with how many exits or how",
            "            many nanoseconds (--weight), for flamegraph.pl and speedscope",
            "  ftrace    the text that ftrace prints, for 'import' and trace-cmd's friends. Of a session of",
            "            the model, exits, entries and what KVM handled, as the policy's tree prints them",
            "",
            "Examples:",
            "  trapline export last --to json | jq -r 'select(.type == \"VmExited\") | .event.reason'",
            "  trapline export last --to csv --type MsrWritten --out writes.csv"
        })
final class ExportCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Option(
            names = "--to",
            paramLabel = "FORM",
            required = true,
            description = "The form: ${COMPLETION-CANDIDATES}.",
            completionCandidates = Forms.class)
    String to;

    @Mixin OutOptions target;

    @Mixin EventOptions asked;

    @Option(
            names = "--until",
            paramLabel = "ORDER",
            description = "The last event's order number. Default: that of the last one")
    Long until;

    @Option(
            names = "--weight",
            paramLabel = "count|time",
            defaultValue = "count",
            description = "What folded stacks weigh. Default: ${DEFAULT-VALUE}")
    String weight;

    /// What `--to` takes.
    static final class Forms extends ArrayList<String> {

        private static final long serialVersionUID = 1;

        Forms() {
            super(Form.names());
        }
    }

    @Override
    public Integer call() throws IOException {
        Form form = Form.named(to);
        EventQuery query = asked.query("--until", until);
        Console console = console();
        boolean piped = target.piped();
        if (piped && console.json()) {
            throw usage("--format json is about a file that --out names; expected --out FILE");
        }
        checkSelection(form, query);
        weight();
        Path path = piped ? null : target.path();
        checkTerminal(form, piped);
        main.interrupt.hold();
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session);
                Console.Progress progress =
                        console.progress("exporting", piped ? -1 : total(opened))) {
            if (piped) {
                print(what(opened, query, temporary(), console, progress), form, console);
            } else {
                Path scratch = path.toAbsolutePath().normalize().getParent();
                save(what(opened, query, scratch, console, progress), form, path, console);
            }
        }
        return ExitCode.DONE.number();
    }

    private void checkSelection(Form form, EventQuery query) {
        if (form.whole() && !query.equals(EventQuery.ALL)) {
            throw usage(
                    "--to %s: a session is exported whole; expected no --from, --until, --vcpu, --type"
                            + " and --where",
                    form.word());
        }
    }

    private void checkTerminal(Form form, boolean piped) {
        if (piped && !form.text() && Console.onTerminal()) {
            throw usage("--to %s is no text; expected --out FILE, or a pipe", form.word());
        }
    }

    private static long total(Session opened) {
        return opened.entry().closing().map(closing -> closing.events()).orElse(-1L);
    }

    private static void print(Export what, Form form, Console console) throws IOException {
        OutputStream stream = StandardOutput.stream();
        long count = form.exporter().write(what, stream);
        stream.flush();
        if (count == 0) {
            console.note("Session %s has nothing of that kind.", what.session().name());
        }
    }

    private Export what(
            Session opened,
            EventQuery query,
            Path scratch,
            Console console,
            Console.Progress progress) {
        return new Export(
                opened, query, scratch, weight(), note -> console.note("%s", note), progress);
    }

    private static Path temporary() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }

    private void save(Export what, Form form, Path path, Console console) throws IOException {
        long count;
        try (ExportFile file = ExportFile.create(path, target.force)) {
            count = form.exporter().write(what, file.out());
            main.interrupt.check();
            file.finish();
        }
        if (console.json()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("session", what.session().name());
            tree.put("form", form.word());
            tree.put("file", path.toString());
            tree.put("events", count);
            console.document(tree);
        } else {
            console.note("%s: %s events", path, Table.number(count));
        }
    }

    private Export.Weight weight() {
        return switch (weight) {
            case "count" -> Export.Weight.COUNT;
            case "time" -> Export.Weight.TIME;
            default -> throw usage("--weight: expected count or time, found '%s'", weight);
        };
    }
}
