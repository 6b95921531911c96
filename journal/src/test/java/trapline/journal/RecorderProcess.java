package trapline.journal;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Records session after session in a Java of its own, until it is killed, and says how far it got.
final class RecorderProcess implements AutoCloseable {

    private static final int CHUNK = 997;

    private final Process process;
    private final Map<String, Long> acknowledged = new ConcurrentHashMap<>();
    private final Map<String, Long> finished = new ConcurrentHashMap<>();
    private final CountDownLatch recording = new CountDownLatch(1);
    private final Queue<String> noise = new ConcurrentLinkedQueue<>();

    private RecorderProcess(Process process) {
        this.process = process;
        Thread reader = new Thread(this::listen, "listen");
        reader.setDaemon(true);
        reader.start();
    }

    /// @param sessions how many to record before it ends by itself
    static RecorderProcess start(String log, String prefix, int sessions) {
        String classPath =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command =
                List.of(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        classPath,
                        RecorderProcess.class.getName(),
                        log,
                        prefix,
                        Integer.toString(sessions));
        try {
            return new RecorderProcess(
                    new ProcessBuilder(command).redirectErrorStream(true).start());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void listen() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "acknowledged" -> {
                        acknowledged.put(words[1], Long.valueOf(words[2]));
                        recording.countDown();
                    }
                    case "finished" -> finished.put(words[1], Long.valueOf(words[2]));
                    default -> noise.add(line);
                }
            }
        } catch (IOException e) {
            noise.add(e.toString());
        }
        recording.countDown();
    }

    /// Waits until the first events are acknowledged.
    void awaitRecording() throws InterruptedException {
        if (!recording.await(60, TimeUnit.SECONDS) || acknowledged.isEmpty()) {
            throw new IllegalStateException("nothing was recorded: " + noise());
        }
    }

    /// Waits until it has ended by itself.
    void awaitEnd() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException("it failed: " + noise());
        }
    }

    /// The least number of events that the log must have, by session.
    Map<String, Long> acknowledged() {
        return acknowledged;
    }

    Map<String, Long> finished() {
        return finished;
    }

    /// What it wrote that it should not have written.
    String noise() {
        return String.join("\n", noise);
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
        Thread.sleep(50);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] args) {
        try (Journal journal = Journals.open(args[0], Optional.empty())) {
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                record(journal, args[1] + "-" + i);
            }
        }
        System.exit(0);
    }

    private static void record(Journal journal, String name) {
        SampleSession session = new SampleSession(name);
        int chunks = 1 + new Random(name.hashCode()).nextInt(20);
        try (SessionWriter writer = session.create(journal)) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                session.append(writer, CHUNK, 500);
                System.out.println("acknowledged " + name + " " + writer.acknowledged());
            }
            writer.finish(session.closing(""));
        }
        System.out.println("finished " + name + " " + chunks * CHUNK);
    }
}
