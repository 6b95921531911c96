package trapline.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.engine.cost.Calibration;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.UnitTestOutput;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// `calibrate`: measurements of one machine as a cost profile.
@Command(
        name = "calibrate",
        description = "Makes a cost profile of what kvm-unit-tests measured on a machine.",
        footer = {
            "",
            "FILE has what vmexit.flat or svm.flat printed, or both one after the other. A test",
            "measures an exit with its handler: the cheapest is split as profile BASE splits one, and",
            "what others cost more is their handlers'. Each figure names its line; what no test tells",
            "stays as BASE has it, assumed where it was.",
            "",
            "Examples:",
            "  ./x86/run x86/vmexit.flat -smp 1 -cpu host | tee vmexit.txt     (in kvm-unit-tests)",
            "  trapline calibrate vmexit.txt --base intel --out mine.yaml",
            "  trapline diff last --candidate kvm-6.1,spec-ctrl=v4 --cost mine.yaml"
        })
final class CalibrateCommand implements Callable<Integer> {

    private static final int SHOWN = 3;

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "What the tests printed; - for standard input.")
    String file;

    @Option(
            names = "--base",
            paramLabel = "PROFILE",
            defaultValue = "intel",
            description =
                    "The cost profile, or a file, that has the rest: intel or amd. Default: ${DEFAULT-VALUE}")
    String base;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "measured",
            description = "The profile's name. Default: ${DEFAULT-VALUE}")
    String name;

    @Mixin OutOptions target;

    @Override
    public Integer call() throws IOException {
        Console console = new Console(main, spec);
        String text =
                UserFiles.text(file)
                        .orElseThrow(
                                () -> new InputException(Kind.UNREADABLE, file, "no such file"));
        UnitTestOutput output = UnitTestOutput.parse(text);
        Calibration.Result result =
                Calibration.of(output, file, name, CostProfile.find(base, UserFiles::text));
        note(output, result, console);
        if (result.used().isEmpty()) {
            throw new InputException(
                    Kind.SYNTAX,
                    file,
                    "expected what vmexit.flat or svm.flat of kvm-unit-tests prints, like 'cpuid 1234';"
                            + " found no measurement that profile "
                            + base
                            + " has a use for");
        }
        String yaml = result.profile().text();
        if (target.piped()) {
            print(yaml, result, console);
        } else {
            try (ExportFile whole = ExportFile.create(target.path(), target.force)) {
                whole.out().write(yaml.getBytes(StandardCharsets.UTF_8));
                whole.finish();
            }
        }
        return ExitCode.DONE.number();
    }

    private void print(String yaml, Calibration.Result result, Console console) {
        if (console.json()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("costs", name);
            tree.put("used", result.used());
            tree.put("unused", result.unused());
            tree.put("text", yaml);
            console.document(tree);
        } else {
            console.out().print(yaml);
        }
    }

    private void note(UnitTestOutput output, Calibration.Result result, Console console) {
        list("figures from", result.used(), console);
        list("measured, and of no use to a profile:", result.unused(), console);
        list("skipped by the test itself:", output.skipped(), console);
        if (!output.bad().isEmpty()) {
            int count = output.bad().size();
            console.note(
                    "%d %s like a measurement and %s",
                    count,
                    count == 1 ? "line begins" : "lines begin",
                    count == 1 ? "is none:" : "are none, the first:");
            output.bad().stream()
                    .limit(SHOWN)
                    .forEach(bad -> console.note("  %s:%d: %s", file, bad.line(), shown(bad)));
        }
    }

    private static void list(String what, List<String> names, Console console) {
        if (!names.isEmpty()) {
            console.note("%s %s", what, String.join(", ", names));
        }
    }

    private static String shown(UnitTestOutput.Bad bad) {
        return bad.text().length() > 80 ? bad.text().substring(0, 80) + "…" : bad.text();
    }
}
