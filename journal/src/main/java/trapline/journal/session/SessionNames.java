package trapline.journal.session;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.Suggestion;
import trapline.schemas.CatalogueEntry;

/// How users name sessions: whole, by a beginning that only one has, or as the newest.
public final class SessionNames {

    public static final String LAST = "last";

    /// Oldest first.
    public static final Comparator<CatalogueEntry> BY_AGE =
            Comparator.<CatalogueEntry>comparingLong(entry -> entry.header().createdMillis())
                    .thenComparing(entry -> entry.header().session());

    private static final int CANDIDATES = 5;

    private SessionNames() {}

    /// Whether this could be a session's whole name: plain, as a file's and a key's must be.
    public static boolean isWhole(String name) {
        return name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}") && !name.equals(LAST);
    }

    public static void check(String session) {
        if (!isWhole(session)) {
            throw new JournalException(
                    Kind.CONFIGURATION,
                    "",
                    "session '%s': expected up to 100 letters, digits, '.', '_' and '-'"
                            .formatted(session));
        }
    }

    /// The one session that `name` means.
    ///
    /// @param sessions oldest first
    public static CatalogueEntry find(List<CatalogueEntry> sessions, String name, String location) {
        if (name.equals(LAST) && !sessions.isEmpty()) {
            return sessions.getLast();
        }
        for (CatalogueEntry entry : sessions) {
            if (name(entry).equals(name)) {
                return entry;
            }
        }
        List<CatalogueEntry> candidates =
                sessions.stream()
                        .filter(entry -> !name.isEmpty() && name(entry).startsWith(name))
                        .toList();
        return switch (candidates.size()) {
            case 0 -> throw noSession(sessions, name, location);
            case 1 -> candidates.getFirst();
            default -> throw ambiguous(candidates, name, location);
        };
    }

    private static String name(CatalogueEntry entry) {
        return entry.header().session();
    }

    private static JournalException noSession(
            List<CatalogueEntry> sessions, String name, String location) {
        String message =
                sessions.isEmpty()
                        ? "no session is here yet"
                        : "no session %s is here%s"
                                .formatted(
                                        name,
                                        Suggestion.hint(
                                                name,
                                                sessions.stream()
                                                        .map(SessionNames::name)
                                                        .toList()));
        return new JournalException(Kind.NO_SESSION, location, message);
    }

    private static JournalException ambiguous(
            List<CatalogueEntry> candidates, String name, String location) {
        String some =
                candidates.reversed().stream()
                        .limit(CANDIDATES)
                        .map(SessionNames::name)
                        .collect(Collectors.joining(", "));
        return new JournalException(
                Kind.AMBIGUOUS,
                location,
                "%d sessions begin with %s: %s%s"
                        .formatted(
                                candidates.size(),
                                name,
                                some,
                                candidates.size() > CANDIDATES ? ", …" : ""));
    }
}
