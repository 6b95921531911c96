package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine;

/// What a command answered: its exit code, standard output and standard error.
record Ran(int code, String out, String err) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /// Runs the command as the program would, in this JVM.
    static Ran trapline(String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line =
                Main.configure(
                        new CommandLine(new Main()), new PrintWriter(out), new PrintWriter(err));
        int code = Main.run(line, words);
        return new Ran(code, out.toString(), err.toString());
    }

    /// @param words separated by blanks
    static Ran line(String words) {
        return trapline(words.split(" "));
    }

    Ran expect(ExitCode expected) {
        assertEquals(expected.number(), code, toString());
        return this;
    }

    /// The one document on standard output.
    JsonNode json() {
        try {
            return JSON.readTree(out);
        } catch (JsonProcessingException e) {
            throw new AssertionError(toString(), e);
        }
    }

    /// The documents on standard output, one a line.
    List<JsonNode> rows() {
        return out.lines().map(row -> new Ran(code, row, err).json()).toList();
    }

    /// The one message on standard error, without the program's name.
    ///
    /// Advice how to get help and a marked expression may follow it, and nothing else.
    String message() {
        List<String> lines = err.lines().toList();
        assertFalse(lines.isEmpty(), toString());
        assertEquals("trapline: ", lines.getFirst().substring(0, 10), toString());
        List<String> others =
                lines.stream()
                        .skip(1)
                        .filter(l -> !l.startsWith("Try 'trapline") && !l.startsWith("  "))
                        .toList();
        assertEquals(List.of(), others, toString());
        assertFalse(err.contains("Exception") || err.contains("\tat "), toString());
        return lines.getFirst().substring(10);
    }
}
