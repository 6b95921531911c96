package trapline.verify.bench;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Whole commands, ours and others', by the time that a user waits for them.
final class Commands {

    private static final String HEAP = "256m";

    private Commands() {}

    /// Our program, as its launcher starts it.
    static List<String> trapline(String... arguments) {
        File dist = new File(System.getProperty("trapline.dist"));
        List<String> command = new ArrayList<>();
        command.add(new File(System.getProperty("java.home"), "bin/java").getPath());
        command.add("@" + new File(dist, "jvm.options"));
        command.add("-XX:AOTCache=" + new File(dist, "trapline.aot"));
        command.add("-Xmx" + HEAP);
        command.add("-cp");
        command.add(new File(dist, "lib/trapline-cli.jar").getPath());
        command.add("trapline.cli.Main");
        command.addAll(List.of(arguments));
        return command;
    }

    static double seconds(List<String> command) throws IOException, InterruptedException {
        return seconds(command, Redirect.DISCARD);
    }

    static double seconds(List<String> command, Path output)
            throws IOException, InterruptedException {
        return seconds(command, Redirect.to(output.toFile()));
    }

    private static double seconds(List<String> command, Redirect output)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process =
                new ProcessBuilder(command)
                        .redirectOutput(output)
                        .redirectError(Redirect.INHERIT)
                        .start();
        int code = process.waitFor();
        if (code != 0) {
            throw new IOException(command + " ended with " + code);
        }
        return (System.nanoTime() - start) / 1e9;
    }
}
