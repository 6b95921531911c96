package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.engine.cost.CostProfile;

/// `costs`: what actions are taken to cost, and who says so.
@Command(
        name = "costs",
        description = "Lists the built-in cost profiles.",
        subcommands = CostsCommand.Show.class)
final class CostsCommand implements Callable<Integer> {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main, spec);
        List<Object> rows = new ArrayList<>();
        Table table = new Table("ll").row("PROFILE", "");
        for (String name : CostProfile.builtIn()) {
            CostProfile profile = CostProfile.find(name, UserFiles::text);
            table.row(name, profile.summary());
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("costs", name);
            row.put("summary", profile.summary());
            rows.add(row);
        }
        console.list("costs", rows, table);
        return ExitCode.DONE.number();
    }

    /// `costs show`.
    @Command(name = "show", description = "Prints a profile's figures and their sources.")
    static final class Show implements Callable<Integer> {

        @ParentCommand CostsCommand costs;

        @Parameters(paramLabel = "PROFILE", description = "A built-in profile or a file.")
        String profile;

        @Override
        public Integer call() {
            Console console = new Console(costs.main, costs.spec);
            CostProfile found = CostProfile.find(profile, UserFiles::text);
            List<Object> rows = new ArrayList<>();
            Table table = new Table("lrrrl").row("ACTION", "LOW", "TYPICAL", "HIGH", "SOURCE");
            found.figures()
                    .forEach((action, figure) -> {
                        String source =
                                figure.assumed()
                                        ? "assumed"
                                                + (figure.source().isEmpty() ? "" : "; ")
                                                + figure.source()
                                        : figure.source();
                        table.row(
                                action,
                                Math.round(figure.range().low()),
                                Math.round(figure.range().typical()),
                                Math.round(figure.range().high()),
                                source);
                        Map<String, Object> row = new LinkedHashMap<>();
                        row.put("action", action);
                        row.put("low", Math.round(figure.range().low()));
                        row.put("typical", Math.round(figure.range().typical()));
                        row.put("high", Math.round(figure.range().high()));
                        row.put("assumed", figure.assumed());
                        row.put("source", figure.source());
                        rows.add(row);
                    });
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                tree.put("costs", found.name());
                tree.put("unit", found.unit());
                tree.put("actions", rows);
                console.document(tree);
            } else {
                console.out().print(table);
            }
            return ExitCode.DONE.number();
        }
    }
}
