package trapline.cli;

import java.util.Locale;
import picocli.CommandLine.TypeConversionException;

/// Where a log is, as `--log` spells it: a kind, a colon, and a directory or bootstrap servers.
record LogAddress(Kind kind, String target) {

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
        for (Kind kind : Kind.values()) {
            String prefix = kind.name().toLowerCase(Locale.ROOT) + ":";
            if (text.startsWith(prefix) && text.length() > prefix.length()) {
                return new LogAddress(kind, text.substring(prefix.length()));
            }
        }
        throw new TypeConversionException(
                "'" + text + "' is none of embedded:DIR, kafka:HOST:PORT[,...] and file:DIR");
    }
}
