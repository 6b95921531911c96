package trapline.cli;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import trapline.replayer.EventQuery;
import trapline.replayer.Where;

/// Which events of a session somebody asks for.
final class EventOptions {

    @Option(
            names = "--from",
            paramLabel = "ORDER",
            defaultValue = "1",
            description = "The first event's order number. Default: ${DEFAULT-VALUE}")
    long from;

    @Option(names = "--vcpu", paramLabel = "N", description = "Only events of this vCPU, from 0.")
    Integer vcpu;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            split = ",",
            description =
                    "Only events of these names, or of the kinds GuestEvent, InputEvent,"
                            + " HardwareEvent, HypervisorEvent and ObservedEvent.")
    Set<String> types = new TreeSet<>();

    @Option(
            names = "--where",
            paramLabel = "CEL",
            description = "Only events for which this condition holds, see 'events --help'.")
    String where;

    @Spec(Spec.Target.MIXEE)
    CommandSpec command;

    /// @param option what the command calls the last event's order number
    /// @param until that number; null for the session's end
    EventQuery query(String option, Long until) {
        long last = until == null ? Long.MAX_VALUE : until;
        if (from < 1) {
            throw usage("--from: expected an order number from 1, found %d".formatted(from));
        }
        if (last < from) {
            throw usage(
                    "%s: expected an order number from %d, found %d".formatted(option, from, last));
        }
        return new EventQuery(
                from,
                last,
                Optional.ofNullable(vcpu),
                types,
                Optional.ofNullable(where).map(Where::of));
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
