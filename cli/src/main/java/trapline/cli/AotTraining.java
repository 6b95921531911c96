package trapline.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Makes the distribution's AOT cache, from which the JVM takes classes loaded and linked.
///
/// The cache fits one build of the JVM and these very jars, so the build makes it at its end: a
/// second JVM runs the commands below under the launcher's options and leaves the cache behind.
/// Without a cache all works, more slowly, and so what fails here costs a line and not the build.
public final class AotTraining {

    /// What users do often. Each must end by itself with 0 and leave nothing behind but in `LOG`.
    private static final List<List<String>> COMMANDS =
            List.of(
                    List.of("--version"),
                    List.of("--help"),
                    List.of("policies"),
                    List.of("guests"),
                    List.of("record", "--guest", "idle-timer", "--log", "file:LOG/files"),
                    List.of(
                            "diff",
                            "last",
                            "--candidate",
                            "kvm-6.1,spec-ctrl=v4",
                            "--html",
                            "LOG/page.html",
                            "--log",
                            "file:LOG/files"),
                    List.of(
                            "events",
                            "last",
                            "--to",
                            "500",
                            "--where",
                            "type == \"MsrWritten\" && event.value == 5",
                            "--log",
                            "file:LOG/files"),
                    List.of("cases", "run", "rrsba-lifts", "--log", "file:LOG/files"),
                    List.of("import", "LOG/trace.txt", "--log", "file:LOG/files"),
                    List.of("stat", "last", "--log", "file:LOG/files"),
                    List.of("record", "--guest", "ssbd-per-task", "--log", "embedded:LOG/broker"),
                    List.of("sessions", "--log", "embedded:LOG/broker"),
                    List.of("stat", "last", "--log", "embedded:LOG/broker"),
                    List.of("verify", "last", "--log", "embedded:LOG/broker"),
                    List.of(
                            "state",
                            "last",
                            "--at",
                            "100",
                            "--format",
                            "json",
                            "--log",
                            "embedded:LOG/broker"));

    private static final int TRACED_EXITS = 15_000;

    private final Path dist;
    private final Path jdk = Path.of(System.getProperty("java.home"));

    private AotTraining(Path dist) {
        this.dist = dist;
    }

    /// Takes the distribution's directory; without one, this is the second JVM.
    public static void main(String[] args) throws InterruptedException {
        if (args.length == 0) {
            System.exit(train());
        }
        try {
            new AotTraining(Path.of(args[0])).makeCache();
        } catch (IOException | RuntimeException e) {
            System.out.println("No AOT cache, commands will start more slowly: " + e.getMessage());
        }
    }

    private static int train() {
        int worst = 0;
        try {
            Path log = Files.createTempDirectory("trapline-training");
            try {
                Files.writeString(log.resolve("trace.txt"), trace());
                for (List<String> command : COMMANDS) {
                    worst = Math.max(worst, Main.run(within(log, command)));
                }
            } finally {
                remove(log);
            }
        } catch (IOException e) {
            System.out.println(e.getMessage());
            return 1;
        }
        return worst;
    }

    /// Exits as a Linux 6.1 prints them, enough that reading them is compiled.
    private static String trace() {
        StringBuilder text = new StringBuilder("# tracer: nop\n#\n");
        for (int i = 0; i < TRACED_EXITS; i++) {
            int vcpu = i >> 2 & 3;
            String line =
                    "       CPU %d/KVM-%d   [00%d] d..1.  %d.%06d: "
                            .formatted(
                                    vcpu,
                                    4000 + vcpu,
                                    vcpu,
                                    1655 + i / 100_000,
                                    i * 10 % 1_000_000);
            long rip = 0xffff_ffff_8100_0000L + i * 7919L % (1 << 23);
            boolean io = i % 4 == 3;
            text.append(line)
                    .append(
                            ("kvm_exit: vcpu %d reason %s rip 0x%x info1 0x%016x info2 0x%016x"
                                            + " intr_info 0x%08x error_code 0x%08x%n")
                                    .formatted(
                                            vcpu,
                                            io ? "IO_INSTRUCTION" : "MSR_WRITE",
                                            rip,
                                            i,
                                            0,
                                            0,
                                            0));
            text.append(line)
                    .append(
                            io
                                    ? "kvm_pio: pio_write at 0x3f8 size 1 count 1 val 0x%x %n"
                                            .formatted(i & 0xff)
                                    : "kvm_msr: msr_write %x = 0x%x%n"
                                            .formatted(0x6e0 + i % 3, i * 31L));
            text.append(line).append("kvm_entry: vcpu %d, rip 0x%x%n".formatted(vcpu, rip + 2));
        }
        return text.toString();
    }

    private static String[] within(Path log, List<String> command) {
        return command.stream()
                .map(word -> word.replace("LOG", log.toString()))
                .toArray(String[]::new);
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private void makeCache() throws IOException, InterruptedException {
        Files.writeString(dist.resolve("jdk"), jdk + "\n"); // the launcher tries this one first
        Files.deleteIfExists(dist.resolve("trapline.aot"));
        try (DirectoryStream<Path> jars =
                Files.newDirectoryStream(dist.resolve("lib"), "picocli-*.jar")) {
            for (Path jar : jars) {
                OldClassFiles.raise(jar);
            }
        }
        Path cache = dist.resolve("trapline.aot.new");
        runSecondJvm("-XX:AOTCacheOutput=" + cache);
        // By this the launcher knows the JVM that the cache fits.
        Files.copy(
                jdk.resolve("release"),
                dist.resolve("jdk.release"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.move(cache, dist.resolve("trapline.aot"), StandardCopyOption.ATOMIC_MOVE);
    }

    private void runSecondJvm(String option) throws IOException, InterruptedException {
        File log = dist.resolve("training.log").toFile();
        Process training =
                new ProcessBuilder(
                                jdk.resolve("bin/java").toString(),
                                "@" + dist.resolve("jvm.options"),
                                option,
                                "-cp",
                                dist.resolve("lib/trapline-cli.jar").toString(),
                                AotTraining.class.getName())
                        .redirectErrorStream(true)
                        .redirectOutput(log)
                        .start();
        if (!training.waitFor(2, TimeUnit.MINUTES)) {
            training.destroyForcibly();
            throw new IOException("the training took more than two minutes");
        }
        if (training.exitValue() != 0) {
            throw new IOException("the training failed, see " + log);
        }
    }
}
