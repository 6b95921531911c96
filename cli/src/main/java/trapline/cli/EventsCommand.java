package trapline.cli;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.engine.event.Envelope;
import trapline.engine.event.Stamp;
import trapline.journal.Journal;
import trapline.replayer.Describe;
import trapline.replayer.EventFields;
import trapline.replayer.EventQuery;
import trapline.replayer.Session;
import trapline.replayer.Where;

/// `events`: the events of a session.
@Command(
        name = "events",
        description = "Prints the events of a session, one a line.",
        footer = {
            "",
            "CEL variables: type, vcpu, order, seq, pcpu, tick, op, cause, and event.FIELD, e.g.",
            "  --where 'type == \"MsrWritten\" && event.msr == \"IA32_SPEC_CTRL\" && event.value == 5u'"
        })
final class EventsCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = "Its id or how that begins; or 'last'.")
    String session;

    @Option(names = "--from", paramLabel = "ORDER", defaultValue = "1")
    long from;

    @Option(names = "--to", paramLabel = "ORDER", description = "Both ends are included.")
    Long to;

    @Option(names = "--vcpu", paramLabel = "N")
    Integer vcpu;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            split = ",",
            description =
                    "Events or kinds: GuestEvent, InputEvent, HardwareEvent, HypervisorEvent.")
    Set<String> types = new TreeSet<>();

    @Option(names = "--where", paramLabel = "CEL", description = "A condition, see below.")
    String where;

    @Override
    public Integer call() {
        EventQuery query =
                new EventQuery(
                        from,
                        to == null ? Long.MAX_VALUE : to,
                        Optional.ofNullable(vcpu),
                        types,
                        Optional.ofNullable(where).map(Where::of));
        Console console = console();
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            EventFields fields = new EventFields(opened.vendor());
            Describe describe = new Describe(opened.vendor());
            query.run(
                    opened,
                    envelope -> {
                        if (console.json()) {
                            console.row(fields.row(envelope));
                        } else {
                            console.line("%s", text(envelope, describe));
                        }
                    },
                    () -> true);
        }
        return ExitCode.DONE.number();
    }

    private static String text(Envelope envelope, Describe describe) {
        Stamp stamp = envelope.stamp();
        return "%8d  vcpu%d#%d  tick %d  op %d  %s%-20s %s"
                .formatted(
                        stamp.order(),
                        stamp.vcpu(),
                        stamp.seq(),
                        stamp.tick(),
                        stamp.op(),
                        stamp.cause() == 0 ? "" : "<- " + stamp.cause() + "  ",
                        envelope.event().name(),
                        describe.detail(envelope.event()))
                .stripTrailing();
    }
}
