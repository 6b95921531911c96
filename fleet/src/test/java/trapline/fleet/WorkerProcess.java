package trapline.fleet;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import trapline.fleet.diff.Evaluator;
import trapline.fleet.diff.SessionDiff;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// A worker in a Java of its own, which can be killed.
final class WorkerProcess implements AutoCloseable {

    private static final int DIED_OF_IT = 9;

    private final Process process;
    private final CountDownLatch started = new CountDownLatch(1);
    private final Queue<String> said = new ConcurrentLinkedQueue<>();

    private WorkerProcess(Process process) {
        this.process = process;
        Thread reader = new Thread(this::listen, "listen");
        reader.setDaemon(true);
        reader.start();
    }

    /// @param log as a user writes it
    /// @param poison a session that ends whoever evaluates it; empty for none
    static WorkerProcess start(String log, int threads, int parallel, String poison)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(new File(System.getProperty("java.home"), "bin/java").getPath());
        command.addAll(
                List.of(
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        WorkerProcess.class.getName(),
                        log,
                        Integer.toString(threads),
                        Integer.toString(parallel),
                        poison));
        return new WorkerProcess(new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    private void listen() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said.add(line);
                started.countDown();
            }
        } catch (IOException e) {
            said.add(e.toString());
        }
        started.countDown();
    }

    void awaitStart() throws InterruptedException {
        if (!started.await(60, TimeUnit.SECONDS) || !process.isAlive()) {
            throw new IllegalStateException("it did not start: " + said());
        }
    }

    /// All that it printed; the first line is where it answers.
    String said() {
        return String.join("\n", said);
    }

    boolean lives() {
        return process.isAlive();
    }

    /// As `kill -9` does.
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] args) throws InterruptedException {
        Journal journal = Journals.open(args[0], Optional.empty());
        Worker worker =
                Worker.start(
                        journal,
                        new Worker.Plan(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                Integer.parseInt(args[1]),
                                Integer.parseInt(args[2])),
                        deadly(new SessionDiff(journal), args[3]));
        System.out.println(worker.address());
        while (worker.failure().isEmpty()) {
            Thread.sleep(100);
        }
        System.out.println(worker.failure().get().getMessage());
        Runtime.getRuntime().halt(1);
    }

    private static Evaluator deadly(Evaluator otherwise, String poison) {
        return (run, task, wanted) -> {
            if (task.session().equals(poison)) {
                Runtime.getRuntime().halt(DIED_OF_IT);
            }
            return otherwise.evaluate(run, task, wanted);
        };
    }
}
