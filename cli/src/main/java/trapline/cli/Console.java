package trapline.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Model.CommandSpec;
import trapline.replayer.JsonTree;

/// Where a command's results, messages and progress go.
///
/// Results go to standard output alone; all else to standard error, and progress only to a terminal.
final class Console {

    private static final JsonFactory JSON = new JsonFactory();

    private final Globals globals;
    private final Interrupt interrupt;
    private final PrintWriter out;
    private final PrintWriter err;

    Console(Main main, CommandSpec spec) {
        globals = main.globals;
        interrupt = main.interrupt;
        out = spec.commandLine().getOut();
        err = spec.commandLine().getErr();
    }

    boolean json() {
        return globals.format == Globals.Format.JSON;
    }

    PrintWriter out() {
        return out;
    }

    void line(String format, Object... arguments) {
        out.println(arguments.length == 0 ? format : format.formatted(arguments));
    }

    /// A message for the user that is no result.
    void note(String format, Object... arguments) {
        if (!globals.quiet) {
            out.flush();
            err.println(arguments.length == 0 ? format : format.formatted(arguments));
        }
    }

    /// One document.
    void document(Object tree) {
        write(tree, true);
        out.println();
    }

    /// A whole list: a document of its rows under their name, or a table.
    void list(String name, List<Object> rows, Table table) {
        if (json()) {
            document(Map.of(name, rows));
        } else {
            out.print(table);
        }
    }

    /// One row of many, on a line of its own.
    void row(Object tree) {
        write(tree, false);
        out.println();
    }

    private void write(Object tree, boolean pretty) {
        try (JsonGenerator generator = JSON.createGenerator(out)) {
            generator.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            generator.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
            if (pretty) {
                generator.setPrettyPrinter(new DefaultPrettyPrinter());
            }
            JsonTree.write(tree, generator);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A bar on a terminal, nothing elsewhere. It ends the command where the user wants no more.
    ///
    /// @param total how much there will be; -1 if nobody knows
    Progress progress(String task, long total) {
        Progress bar = bar(task, total);
        return Progress.of(
                done -> {
                    bar.accept(done);
                    interrupt.check();
                },
                bar::close);
    }

    /// A bar for what asks by itself whether to go on.
    Progress bar(String task, long total) {
        if (globals.quiet || !onTerminal()) {
            return Progress.of(_ -> {}, () -> {});
        }
        ProgressBar bar =
                new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(total)
                        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                        .setUpdateIntervalMillis(200)
                        .clearDisplayOnFinish()
                        .build();
        return Progress.of(bar::stepTo, bar::close);
    }

    /// Without a terminal a JVM may have no console at all.
    @SuppressWarnings("SystemConsoleNull")
    static boolean onTerminal() {
        java.io.Console terminal = System.console();
        return terminal != null && terminal.isTerminal();
    }

    /// Told how much is done.
    interface Progress extends LongConsumer, AutoCloseable {

        static Progress of(LongConsumer accept, Runnable close) {
            return new Progress() {
                @Override
                public void accept(long done) {
                    accept.accept(done);
                }

                @Override
                public void close() {
                    close.run();
                }
            };
        }

        @Override
        void close();
    }
}
