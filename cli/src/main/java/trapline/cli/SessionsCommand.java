package trapline.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.replayer.SessionRows;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.SessionHeader;

/// `sessions`: what is in the log.
@Command(
        name = "sessions",
        description = "Lists the sessions of the log, oldest first.",
        footer = {
            "",
            "STATUS is open (being recorded), closed (whole), imported (whole, what a tracer saw on a real",
            "host) or torn (its recorder died; readable to the last event acknowledged). Times are local;",
            "JSON has them as milliseconds since 1970."
        },
        exitCodeList = "1:Something in the log is unreadable.")
final class SessionsCommand extends LogCommand implements Callable<Integer> {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
                    .withZone(ZoneId.systemDefault());

    @Override
    public Integer call() {
        Console console = console();
        List<CatalogueEntry> entries;
        List<JournalException> damaged;
        try (Journal journal = openLogToRead()) {
            entries = journal.sessions();
            damaged = journal.damaged();
        }
        if (console.json()) {
            List<Object> rows = new ArrayList<>();
            entries.forEach(entry -> rows.add(SessionRows.tree(entry)));
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("sessions", rows);
            tree.put("damaged", damaged.stream().map(Throwable::getMessage).toList());
            console.document(tree);
        } else if (entries.isEmpty() && damaged.isEmpty()) {
            console.note(
                    "No sessions in %s. Record one: trapline record --guest GUEST",
                    main.globals.log);
        } else if (!entries.isEmpty()) {
            console.out().print(table(entries));
        }
        damaged.forEach(e -> console.note("trapline: unreadable: %s", e.getMessage()));
        return (damaged.isEmpty() ? ExitCode.DONE : ExitCode.NO).number();
    }

    private static Table table(List<CatalogueEntry> entries) {
        Table table = new Table("llllllrr");
        table.row("SESSION", "RECORDED", "STATUS", "GUEST", "CPU", "POLICY", "VCPUS", "EVENTS");
        for (CatalogueEntry entry : entries) {
            SessionHeader header = entry.header();
            table.row(
                    header.session(),
                    TIME.format(Instant.ofEpochMilli(header.createdMillis())),
                    header.imported() && entry.status() == Status.CLOSED
                            ? "imported"
                            : SessionRows.status(entry),
                    header.guest().name(),
                    header.imported() ? "-" : header.machine().platform(),
                    header.imported() ? "-" : header.policy(),
                    entry.vcpus(),
                    SessionRows.events(entry));
        }
        return table;
    }
}
