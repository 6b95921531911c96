package trapline.cli;

import java.util.Locale;
import picocli.CommandLine.TypeConversionException;
import trapline.journal.JournalException;
import trapline.journal.Journals;

/// Where a log is, as `--log` spells it: a kind, a colon, and a directory or bootstrap servers.
record LogAddress(Kind kind, String target) {

    /// What it is if nobody says.
    static final String DEFAULT = "embedded:.trapline";

    boolean isDefault() {
        return text().equals(DEFAULT);
    }

    /// As the user wrote it.
    String text() {
        return kind.name().toLowerCase(Locale.ROOT) + ":" + target;
    }

    @Override
    public String toString() {
        return text();
    }

    enum Kind {
        EMBEDDED,
        KAFKA,
        FILE
    }

    static LogAddress parse(String text) {
        try {
            Journals.check(text);
        } catch (JournalException e) {
            throw new TypeConversionException(e.getMessage());
        }
        int colon = text.indexOf(':');
        return new LogAddress(
                Kind.valueOf(text.substring(0, colon).toUpperCase(Locale.ROOT)),
                text.substring(colon + 1));
    }
}
