package trapline.fleet.diff;

import java.util.regex.Pattern;
import trapline.schemas.CatalogueEntry;

/// Which sessions a run is about: `*` stands for any letters, `?` for one.
///
/// @param text as its user wrote it
public record SessionPattern(String text) {

    /// Whether a session's id or its guest is of that form.
    public boolean matches(CatalogueEntry entry) {
        Pattern form = form();
        return form.matcher(entry.header().session()).matches()
                || form.matcher(entry.header().guest().name()).matches();
    }

    /// Whether it stands for everything, and nobody had anything in mind.
    boolean isAny() {
        return text.equals("*");
    }

    private Pattern form() {
        StringBuilder form = new StringBuilder();
        for (String part : text.split("(?<=[*?])|(?=[*?])", -1)) {
            form.append(
                    switch (part) {
                        case "*" -> ".*";
                        case "?" -> ".";
                        default -> Pattern.quote(part);
                    });
        }
        return Pattern.compile(form.toString());
    }
}
