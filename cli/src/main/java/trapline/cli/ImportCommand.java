package trapline.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.engine.text.InputException;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.observe.Imported;
import trapline.recorder.observe.Importer;
import trapline.recorder.observe.Observer;
import trapline.recorder.observe.Observer.VmSeen;
import trapline.recorder.observe.VmChoice;
import trapline.recorder.trace.TraceReader;
import trapline.recorder.trace.TraceSummary;
import trapline.recorder.trace.TraceSummary.Malformed;
import trapline.replayer.Session;
import trapline.replayer.SessionCopy;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;

/// `import`: a trace of a real host becomes a session, or one for each VM in it.
@Command(
        name = "import",
        description = "Makes sessions of a trace that a real host recorded, prints their ids.",
        footer = {
            "",
            "FILE is what ftrace, 'trace-cmd report' or 'perf script' print, or a log of MSR accesses;",
            "plain, .gz or .zst; or a container file of ours (.avro), whose session comes in as it is.",
            "Events of kvm: become the session's; others are counted and left out.",
            "Which thread is which vCPU, kvm_entry tells; without it threads are numbered by their ids.",
            "Without process ids, VMs are told apart by their threads' ids.",
            "",
            "Examples:",
            "  trapline import trace.txt.gz",
            "  trace-cmd report | trapline import -",
            "  trapline import --follow /sys/kernel/tracing/trace_pipe"
        },
        exitCodeList =
                "3:The file is no trace; with --strict, also where a line could not be read.")
final class ImportCommand extends LogCommand implements Callable<Integer> {

    private static final int WATCH_MILLIS = 50;

    @Parameters(paramLabel = "FILE", description = "The trace; - for standard input.")
    String file;

    @Option(
            names = "--follow",
            description =
                    "Go on with what the tracer writes, until Ctrl-C or the end of the pipe, which"
                            + " closes the session.")
    boolean follow;

    @Option(
            names = "--strict",
            description = "Exit with 3 if a line that should be an event could not be read.")
    boolean strict;

    @Option(names = "--vm", paramLabel = "N", description = "Only the trace's Nth VM, from 1.")
    Integer vm;

    @Option(
            names = "--pid",
            paramLabel = "ID",
            description = "Only the VM of this process, or of this vCPU's thread.")
    Integer pid;

    @Override
    public Integer call() {
        return isContainer() ? copy() : read();
    }

    private boolean isContainer() {
        try {
            return TraceReader.isContainer(Path.of(file));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /// A session of our own comes in as it is.
    private int copy() {
        if (follow || vm != null || pid != null) {
            throw usage("%s holds a session of ours: it has no --follow, --vm and --pid", file);
        }
        try (Journal from = Journals.openReadOnly("file:" + file, Optional.empty());
                Journal to = openLog();
                Console.Progress progress = console().progress("importing", -1)) {
            CatalogueEntry entry = only(from);
            String name = entry.header().session();
            if (to.sessions().stream().anyMatch(e -> e.header().session().equals(name))) {
                throw new InputException(
                        InputException.Kind.NOT_APPLICABLE,
                        file,
                        "session %s is in %s already".formatted(name, to.location()));
            }
            try (Session session = Session.open(from, name)) {
                long events = SessionCopy.copy(session, to, progress);
                boolean closed = entry.status() == Status.CLOSED;
                print(new Imported(name, events, 0, session.vcpus(), closed));
            }
        }
        return ExitCode.DONE.number();
    }

    private CatalogueEntry only(Journal from) {
        List<CatalogueEntry> entries = from.sessions();
        if (entries.isEmpty()) {
            throw from.damaged().getFirst();
        }
        return entries.getFirst();
    }

    private void print(Imported session) {
        Console console = console();
        if (console.json()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("session", session.session());
            tree.put("sessions", List.of(tree(session)));
            tree.put("format", "container");
            console.document(tree);
        } else {
            console.line(session.session());
        }
        note(session, console);
    }

    private int read() {
        VmChoice choice = new VmChoice(Optional.ofNullable(vm), Optional.ofNullable(pid));
        Importer.Result result;
        try (Journal journal = openLog()) {
            result = read(new Importer(journal, Version.program(), InstantSource.system(), choice));
        }
        print(result);
        boolean broken = strict && result.trace().malformed() > 0;
        boolean closed = result.sessions().stream().allMatch(Imported::closed);
        return (broken ? ExitCode.BAD_INPUT : closed ? ExitCode.DONE : ExitCode.NO).number();
    }

    private Importer.Result read(Importer importer) {
        TraceReader reader = TraceReader.of(file);
        if (follow) {
            reader = reader.following();
        }
        main.interrupt.hold();
        try (Console.Progress progress = console().bar("importing", -1);
                Watch watch = new Watch(reader)) {
            return importer.run(file, reader, watch::ending, progress);
        }
    }

    /// Ends the reading once the user wants it to.
    private final class Watch implements AutoCloseable {
        private final Thread thread;
        private volatile boolean over;

        Watch(TraceReader reader) {
            thread = Thread.ofPlatform().daemon().name("trapline-watch").start(() -> watch(reader));
        }

        private void watch(TraceReader reader) {
            try {
                while (!over && main.interrupt.getAsBoolean()) {
                    Thread.sleep(WATCH_MILLIS);
                }
            } catch (InterruptedException e) {
                return;
            }
            if (!over) {
                reader.stop();
            }
        }

        /// A trace that is followed ends when its user says so.
        String ending() {
            over = true;
            return follow || main.interrupt.getAsBoolean() ? "" : "interrupted";
        }

        @Override
        public void close() {
            over = true;
            thread.interrupt();
        }
    }

    private void print(Importer.Result result) {
        Console console = console();
        if (console.json()) {
            console.document(tree(result));
        } else {
            result.sessions().forEach(session -> console.line(session.session()));
        }
        result.sessions().forEach(session -> note(session, console));
        note(result.trace(), console);
        note(result.observer(), console);
    }

    private static void note(Imported session, Console console) {
        console.note(
                "imported %s%s: %s events on %d vCPU%s%s",
                session.session(),
                session.closed() ? "" : ", which is torn",
                Table.number(session.events()),
                session.vcpus(),
                session.vcpus() == 1 ? "" : "s",
                gaps(session.gaps()));
    }

    private static String gaps(long gaps) {
        return gaps == 0
                ? ""
                : ", %s gap%s where the tracer lost events"
                        .formatted(Table.number(gaps), gaps == 1 ? "" : "s");
    }

    static void note(TraceSummary trace, Console console) {
        console.note(
                "%s: %s lines, %s events read, %s others left out%s",
                trace.format().text(),
                Table.number(trace.lines()),
                Table.number(sum(trace.parsed())),
                Table.number(sum(trace.skipped())),
                trace.skipped().isEmpty() ? "" : " (" + counts(trace.skipped()) + ")");
        if (trace.malformed() > 0) {
            console.note(
                    "trapline: %s line%s could not be read:",
                    Table.number(trace.malformed()), trace.malformed() == 1 ? "" : "s");
            for (Malformed line : trace.first()) {
                console.note("  line %d: %s: %s", line.line(), line.why(), line.text());
            }
        }
        trace.remarks().forEach(remark -> console.note("trapline: %s", remark));
    }

    static void note(Observer observer, Console console) {
        List<VmSeen> vms = observer.vms();
        if (vms.size() > 1) {
            for (int i = 0; i < vms.size(); i++) {
                console.note("  %s", VmChoice.describe(i, vms.get(i)));
            }
            if (vms.stream().anyMatch(seen -> seen.process() == 0)) {
                console.note(
                        "trapline: the trace has no process ids: VMs are told apart by thread ids");
            }
        }
        if (observer.numbered()) {
            console.note(
                    "trapline: the trace does not say which vCPU a thread runs: they are numbered by"
                            + " thread id");
        }
        if (observer.beforeEntry() > 0) {
            console.note(
                    "trapline: %s events of threads whose vCPU was not known yet are the VM's",
                    Table.number(observer.beforeEntry()));
        }
        if (!observer.unassigned().isEmpty()) {
            console.note(
                    "trapline: %s events may be any VM's and are in no session: %s",
                    Table.number(sum(observer.unassigned())), counts(observer.unassigned()));
        }
    }

    private static long sum(SortedMap<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static String counts(SortedMap<String, Long> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getKey() + " " + Table.number(entry.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static Map<String, Object> tree(Importer.Result result) {
        TraceSummary trace = result.trace();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", result.sessions().getFirst().session());
        tree.put("sessions", result.sessions().stream().map(ImportCommand::tree).toList());
        tree.put("format", trace.format().text());
        tree.put("lines", trace.lines());
        tree.put("parsed", trace.parsed());
        tree.put("skipped", trace.skipped());
        tree.put("malformed", trace.malformed());
        tree.put("malformedLines", trace.first().stream().map(ImportCommand::tree).toList());
        tree.put("gaps", trace.gaps());
        tree.put("lost", trace.lost());
        tree.put("unassigned", result.observer().unassigned());
        tree.put("remarks", trace.remarks());
        List<Object> vms = new ArrayList<>();
        result.observer().vms().forEach(vm -> vms.add(tree(vm)));
        tree.put("vms", vms);
        return tree;
    }

    private static Map<String, Object> tree(Imported session) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", session.session());
        tree.put("events", session.events());
        tree.put("vcpus", session.vcpus());
        tree.put("status", session.closed() ? "closed" : "torn");
        tree.put("gaps", session.gaps());
        return tree;
    }

    private static Map<String, Object> tree(Malformed line) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("line", line.line());
        tree.put("why", line.why());
        tree.put("text", line.text());
        return tree;
    }

    private static Map<String, Object> tree(VmSeen vm) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("process", vm.process() == 0 ? null : vm.process());
        tree.put("threads", vm.threads());
        tree.put("vcpus", vm.vcpus());
        return tree;
    }
}
