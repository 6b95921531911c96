package trapline.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// An input that is refused, and all that its user is told: one row of a table of errors.
///
/// @param text what was written
/// @param message what is said, with file, line and column in front where there is a file
public record Bad(Kind kind, String text, String message) {

    public static Bad syntax(String text, String message) {
        return new Bad(Kind.SYNTAX, text, message);
    }

    public static Bad unknown(String text, String message) {
        return new Bad(Kind.UNKNOWN_NAME, text, message);
    }

    public static Bad impossible(String text, String message) {
        return new Bad(Kind.NOT_APPLICABLE, text, message);
    }

    public static Bad tooLarge(String text, String message) {
        return new Bad(Kind.TOO_LARGE, text, message);
    }

    /// Reads it, which must fail as told.
    public void check(Executable read) {
        InputException e = assertThrows(InputException.class, read);
        assertEquals(message, e.getMessage());
        assertEquals(kind, e.kind());
        assertEquals(e.place().isEmpty() ? message : e.place(), start(e));
    }

    /// The message begins with the place.
    private String start(InputException e) {
        return e.place().isEmpty() ? message : message.substring(0, e.place().length());
    }

    @Override
    public String toString() {
        String line = text.replace("\n", "\\n");
        return line.length() <= 80 ? line : line.substring(0, 77) + "...";
    }
}
