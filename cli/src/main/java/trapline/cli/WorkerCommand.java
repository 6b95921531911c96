package trapline.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import trapline.fleet.Worker;
import trapline.journal.Journal;
import trapline.journal.JournalException;

/// `worker`: one of the processes that share the work on a log.
@Command(
        name = "worker",
        description = {
            "Counts the exits of all sessions into windows, and evaluates what 'fleet diff' submits,",
            "until Ctrl-C. Any number of workers on any machines share the log's partitions."
        },
        footer = {
            "",
            "Windows of one second and one minute per session and vCPU go to the topic trapline.exit-windows,",
            "exactly once: a worker that is killed loses nothing, and the others go on for it within seconds.",
            "",
            "Prints the address where it answers: /windows?session=ID has the windows it keeps, or leads to the",
            "worker on this machine that has them, or names the machine where to ask; /healthz; /metrics.",
            "",
            "Examples:",
            "  trapline worker --log kafka:broker:9092",
            "  trapline worker --only diffs --parallel 8",
            "  trapline worker --listen 127.0.0.1:7071",
            "  curl -L 'http://127.0.0.1:7071/windows?session=ID'"
        })
final class WorkerCommand extends LogCommand implements Callable<Integer> {

    /// What a worker does for a log.
    enum Work {
        STATISTICS,
        DIFFS
    }

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:0",
            description = "Where it answers, on this machine alone. Default: ${DEFAULT-VALUE}")
    String listen;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description =
                    "How many sessions it evaluates at once. Default: the number of processors")
    Integer parallel;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = {
                "How many partitions of exits it counts at once.",
                "Default: the number of processors, 4 at most"
            })
    Integer threads;

    @Option(
            names = "--only",
            paramLabel = "statistics|diffs",
            description = "Leave the other to other workers.")
    String only;

    @Override
    public Integer call() {
        Console console = console();
        Worker.Plan plan = plan();
        if (main.globals.log.kind() == LogAddress.Kind.FILE) {
            throw usage(
                    "worker: expected --log embedded:DIR or kafka:HOST:PORT, found %s",
                    main.globals.log);
        }
        main.interrupt.hold();
        try (Journal journal = openLog();
                Worker worker = Worker.start(journal, plan)) {
            announce(worker, console);
            while (main.interrupt.getAsBoolean()) {
                worker.failure().ifPresent(WorkerCommand::rethrow);
                LockSupport.parkNanos(100_000_000L);
            }
        }
        return ExitCode.DONE.number();
    }

    private static void rethrow(JournalException failure) {
        throw failure;
    }

    private void announce(Worker worker, Console console) {
        if (console.json()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("url", worker.address().toString());
            console.document(tree);
        } else {
            console.line("%s", worker.address());
            console.note("Works on %s; Ctrl-C ends it.", main.globals.log);
        }
        console.out().flush();
    }

    private Worker.Plan plan() {
        int evaluating = parallel == null ? Runtime.getRuntime().availableProcessors() : parallel;
        if (evaluating < 1 || evaluating > 1024) {
            throw usage("--parallel: expected 1 to 1024, found %d", evaluating);
        }
        int counting =
                threads == null ? Math.min(4, Runtime.getRuntime().availableProcessors()) : threads;
        if (counting < 1 || counting > 1024) {
            throw usage("--threads: expected 1 to 1024, found %d", counting);
        }
        if (only == null) {
            return new Worker.Plan(address(), counting, evaluating);
        }
        return switch (work()) {
            case STATISTICS -> new Worker.Plan(address(), counting, 0);
            case DIFFS -> new Worker.Plan(address(), 0, evaluating);
        };
    }

    private Work work() {
        for (Work work : Work.values()) {
            if (work.name().equalsIgnoreCase(only)) {
                return work;
            }
        }
        throw usage("--only: expected statistics or diffs, found '%s'", only);
    }

    private InetSocketAddress address() {
        int colon = listen.lastIndexOf(':');
        try {
            int port = Integer.parseInt(listen.substring(colon + 1));
            InetAddress host = InetAddress.getByName(listen.substring(0, Math.max(0, colon)));
            if (colon > 0
                    && port >= 0
                    && port <= 0xffff
                    && host.getHostAddress().equals("127.0.0.1")) {
                return new InetSocketAddress(host, port);
            }
        } catch (NumberFormatException | UnknownHostException e) {
            // Said below.
        }
        throw usage("--listen: expected 127.0.0.1:PORT or localhost:PORT, found '%s'", listen);
    }
}
