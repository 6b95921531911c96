package trapline.cli;

import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.engine.event.Envelope;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.replayer.Describe;
import trapline.replayer.EventFields;
import trapline.replayer.EventQuery;
import trapline.replayer.Session;
import trapline.schemas.CatalogueEntry.Status;

/// `events`: the events of a session.
@Command(
        name = "events",
        description = "Prints the events of a session, one a line.",
        footer = {
            "",
            "A line has: order, vCPU and its own sequence number, tick (guest instructions so far),",
            "op (the ordinal of the guest op), the order of the event that caused it, name, content.",
            "",
            "CEL variables: type, vcpu, order, seq, pcpu, tick, op, cause, and event.FIELD as --format",
            "json shows it; 64-bit values are unsigned numbers, MSRs and VMCS fields names.",
            "",
            "Examples:",
            "  trapline events last --type VmExited,VmEntryFailed --from 1000 --to 2000",
            "  trapline events last --follow --format json --type HardwareEvent",
            "  trapline events last --where 'type == \"MsrWritten\" &&",
            "      event.msr == \"IA32_SPEC_CTRL\" && event.value == 5'"
        })
final class EventsCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Mixin EventOptions asked;

    @Option(
            names = "--to",
            paramLabel = "ORDER",
            description = "The last event's order number. Default: that of the last one")
    Long to;

    @Option(
            names = "--follow",
            description = "Go on with what is still being recorded, until the session ends.")
    boolean follow;

    private long printed;

    @Override
    public Integer call() {
        EventQuery query = asked.query("--to", to);
        Console console = console();
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            Consumer<Envelope> printer = counted(printer(opened, console));
            if (follow) {
                main.interrupt.hold();
                main.interrupt.whileWaiting(() -> follow(query, opened, printer));
                noteTorn(journal, opened, console);
            } else {
                query.run(opened, printer, main.interrupt);
            }
            if (printed == 0 && main.interrupt.getAsBoolean()) {
                console.note("No event of session %s is such a one.", opened.name());
            }
        }
        return ExitCode.DONE.number();
    }

    private Consumer<Envelope> counted(Consumer<Envelope> printer) {
        return envelope -> {
            printed++;
            printer.accept(envelope);
        };
    }

    private Consumer<Envelope> printer(Session opened, Console console) {
        if (console.json()) {
            EventFields fields = new EventFields(opened.vendor());
            return envelope -> console.row(fields.row(envelope));
        }
        Describe describe = new Describe(opened.vendor());
        return envelope -> console.line("%s", describe.line(envelope));
    }

    /// Each event is written at once: somebody looks on.
    private void follow(EventQuery query, Session opened, Consumer<Envelope> printer) {
        try {
            query.follow(
                    opened,
                    envelope -> {
                        printer.accept(envelope);
                        flush();
                    },
                    main.interrupt);
        } catch (JournalException e) {
            if (main.interrupt.getAsBoolean()) {
                throw e;
            }
        }
        flush();
    }

    private void flush() {
        spec.commandLine().getOut().flush();
    }

    private void noteTorn(Journal journal, Session opened, Console console) {
        if (!main.interrupt.getAsBoolean()) {
            return;
        }
        journal.sessions().stream()
                .filter(entry -> entry.header().session().equals(opened.name()))
                .filter(entry -> entry.status() == Status.TORN)
                .forEach(_ ->
                        console.note("session %s is torn: its recorder has gone", opened.name()));
    }
}
