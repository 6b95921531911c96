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
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ClosingRecord;
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
            entries.forEach(entry -> rows.add(tree(entry)));
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
                            : status(entry),
                    header.guest().name(),
                    header.imported() ? "-" : header.machine().platform(),
                    header.imported() ? "-" : header.policy(),
                    entry.vcpus(),
                    events(entry));
        }
        return table;
    }

    private static String status(CatalogueEntry entry) {
        return entry.status().name().toLowerCase(Locale.ROOT);
    }

    private static long events(CatalogueEntry entry) {
        return entry.closing().map(ClosingRecord::events).orElse(entry.acknowledged());
    }

    private static Map<String, Object> tree(CatalogueEntry entry) {
        SessionHeader header = entry.header();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", header.session());
        tree.put("createdMillis", header.createdMillis());
        tree.put("status", status(entry));
        tree.put("imported", header.imported());
        tree.put("guest", header.guest().name());
        tree.put("seed", header.guest().seed());
        tree.put("cpu", header.machine().platform());
        tree.put("policy", header.policy());
        tree.put("parent", header.parent().orElse(null));
        tree.put("vcpus", entry.vcpus());
        tree.put("events", events(entry));
        tree.put("guestOps", entry.closing().map(ClosingRecord::guestOps).orElse(null));
        tree.put("digest", entry.closing().map(c -> c.digest().toString()).orElse(null));
        tree.put("reason", entry.closing().map(ClosingRecord::reason).orElse(""));
        tree.put("program", header.versions().program());
        tree.put("model", header.versions().model());
        return tree;
    }
}
