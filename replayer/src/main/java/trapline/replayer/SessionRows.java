package trapline.replayer;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.ClosingRecord;
import trapline.schemas.SessionHeader;

/// Rows of a log's list of sessions.
public final class SessionRows {

    private SessionRows() {}

    public static String status(CatalogueEntry entry) {
        return entry.status().name().toLowerCase(Locale.ROOT);
    }

    /// Of a session that is not closed, those acknowledged when its recorder last said so.
    public static long events(CatalogueEntry entry) {
        return entry.closing().map(ClosingRecord::events).orElse(entry.acknowledged());
    }

    public static Map<String, Object> tree(CatalogueEntry entry) {
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
