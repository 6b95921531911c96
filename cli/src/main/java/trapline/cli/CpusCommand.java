package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.replayer.Names;

/// `cpus`: the host platforms that are built in.
@Command(
        name = "cpus",
        description = "Lists the built-in host platforms.",
        subcommands = CpusCommand.Show.class)
final class CpusCommand implements Callable<Integer> {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main, spec);
        List<Object> rows = new ArrayList<>();
        Table table = new Table("llll").row("CPU", "VENDOR", "HOST SPEC_CTRL", "");
        for (String name : Platforms.names()) {
            Platform platform = new Platforms(_ -> Optional.empty()).resolve(name);
            String vendor = platform.vendor().name().toLowerCase(Locale.ROOT);
            String specCtrl = Names.hex(platform.host().specCtrl());
            table.row(name, vendor, specCtrl, platform.description().summary());
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("cpu", name);
            row.put("vendor", vendor);
            row.put("summary", platform.description().summary());
            row.put("features", List.copyOf(platform.features()));
            row.put("archCapabilities", Names.hex(platform.archCapabilities()));
            row.put("hostSpecCtrl", specCtrl);
            row.put("costs", platform.description().costs());
            rows.add(row);
        }
        console.list("cpus", rows, table);
        return ExitCode.DONE.number();
    }

    /// `cpus show`.
    @Command(name = "show", description = "Prints a host platform in full, as a file.")
    static final class Show implements Callable<Integer> {

        @ParentCommand CpusCommand cpus;

        @Parameters(
                paramLabel = "CPU",
                description = "NAME[,PROPERTY=true|false]... or a file for NAME.")
        String cpu;

        @Override
        public Integer call() {
            Console console = new Console(cpus.main, cpus.spec);
            String text = new Platforms(UserFiles::text).resolve(cpu).description().text();
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                tree.put("cpu", cpu);
                tree.put("text", text);
                console.document(tree);
            } else {
                console.out().print(text);
            }
            return ExitCode.DONE.number();
        }
    }
}
