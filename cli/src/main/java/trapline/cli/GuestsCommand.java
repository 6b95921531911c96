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
import trapline.engine.guest.GuestFile;
import trapline.engine.text.Node;

/// `guests`: what can be run without writing anything.
@Command(
        name = "guests",
        description = "Lists the built-in guests.",
        subcommands = GuestsCommand.Show.class)
final class GuestsCommand implements Callable<Integer> {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main, spec);
        List<Object> rows = new ArrayList<>();
        Table table = new Table("llll").row("GUEST", "KIND", "CPU", "");
        for (String name : GuestFile.builtIn()) {
            GuestFile guest = GuestFile.find(name, _ -> Optional.empty());
            String kind = guest.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
            String cpu = guest.wishes().cpu().map(Node::text).orElse("");
            table.row(name, kind, cpu, guest.summary());
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("guest", name);
            row.put("kind", kind);
            row.put("cpu", cpu);
            row.put("summary", guest.summary());
            row.put("provenance", guest.provenance());
            rows.add(row);
        }
        console.list("guests", rows, table);
        return ExitCode.DONE.number();
    }

    /// `guests show`.
    @Command(name = "show", description = "Prints a guest's text: a scenario to start from.")
    static final class Show implements Callable<Integer> {

        @ParentCommand GuestsCommand guests;

        @Parameters(paramLabel = "GUEST", description = "A built-in guest or a file.")
        String guest;

        @Override
        public Integer call() {
            Console console = new Console(guests.main, guests.spec);
            GuestFile file = GuestFile.find(guest, UserFiles::text);
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                tree.put("guest", file.name());
                tree.put("provenance", file.provenance());
                tree.put("text", file.text());
                console.document(tree);
            } else {
                console.out().print(file.text());
            }
            return ExitCode.DONE.number();
        }
    }
}
