package trapline.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/// How `--help` looks: a command's own options first, then those that all have, then exit codes.
final class HelpLayout {

    private static final int WIDTH = 100;

    private HelpLayout() {}

    static void apply(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        UsageMessageSpec usage = spec.usageMessage();
        usage.width(WIDTH);
        usage.sortOptions(false);
        usage.customSynopsis(synopsis(command));
        usage.parameterListHeading("%n");
        usage.commandListHeading("%nCommands:%n");
        usage.sectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpLayout::options);
        usage.exitCodeListHeading("%nExit codes:%n");
        usage.exitCodeList(exitCodes(usage.exitCodeList()));
        command.getSubcommands().values().forEach(HelpLayout::apply);
    }

    /// What must be given, and that there is more.
    private static String synopsis(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        StringBuilder synopsis = new StringBuilder(spec.qualifiedName());
        for (OptionSpec option : spec.options()) {
            if (option.required()) {
                synopsis.append(' ').append(option.longestName()).append('=');
                synopsis.append(option.paramLabel());
            }
        }
        synopsis.append(" [OPTIONS]");
        spec.positionalParameters().forEach(p -> synopsis.append(' ').append(label(p)));
        if (!spec.subcommands().isEmpty()) {
            synopsis.append(spec.userObject() instanceof Runnable ? " COMMAND" : " [COMMAND]");
        }
        return synopsis.toString();
    }

    private static String label(PositionalParamSpec parameter) {
        boolean optional = parameter.index().min() > 0 && parameter.arity().min() == 0;
        return optional ? "[" + parameter.paramLabel() + "]" : parameter.paramLabel();
    }

    private static String options(Help help) {
        List<OptionSpec> shown =
                help.commandSpec().options().stream().filter(option -> !option.hidden()).toList();
        List<OptionSpec> own = shown.stream().filter(option -> !isCommon(option)).toList();
        List<OptionSpec> common = shown.stream().filter(HelpLayout::isCommon).toList();
        return list("%nOptions:%n", own, help)
                + list("%nOptions of every command:%n", common, help);
    }

    private static boolean isCommon(OptionSpec option) {
        return option.inherited() || option.scopeType() == CommandLine.ScopeType.INHERIT;
    }

    private static String list(String heading, List<OptionSpec> options, Help help) {
        if (options.isEmpty()) {
            return "";
        }
        Help.Layout layout = help.createDefaultLayout();
        options.forEach(option -> layout.addOption(option, help.parameterLabelRenderer()));
        return help.createHeading(heading) + layout;
    }

    /// A command says itself what 1 means, where it can answer so.
    private static Map<String, String> exitCodes(Map<String, String> own) {
        Map<String, String> codes = new LinkedHashMap<>();
        codes.put("0", "Done.");
        codes.putAll(own);
        codes.put("2", "Wrong usage.");
        codes.put("3", "Bad input: a file, a policy, a session's name, a place in it.");
        codes.put("4", "Trouble with the log or its broker.");
        codes.put("70", "A mistake of Trapline's own.");
        codes.put("130", "Interrupted.");
        return codes;
    }
}
