package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is built in is listed, and what is shown of it is a file that works as the name does.
class BuiltInsTest {

    @TempDir Path directory;

    private static JsonNode json(String line) {
        return Ran.line(line + " --format json").expect(ExitCode.DONE).json();
    }

    private Path shown(String what) throws IOException {
        String text = Ran.line(what).expect(ExitCode.DONE).out();
        return Files.writeString(directory.resolve("shown.yaml"), text);
    }

    @ParameterizedTest
    @CsvSource({
        "policies, /bases, policy, 7",
        "cpus, /cpus, cpu, 9",
        "guests, /guests, guest, 10",
        "costs, /costs, costs, 3"
    })
    void eachIsListedInBothFormatsAndShown(String command, String list, String key, int least) {
        JsonNode rows = json(command).at(list);
        assertTrue(rows.size() >= least, rows.toString());
        String text = Ran.line(command).expect(ExitCode.DONE).out();
        for (JsonNode row : rows) {
            assertEquals(key, row.fieldNames().next());
            String name = row.get(key).textValue();
            assertTrue(text.contains("\n" + name + " "), name);
            assertFalse(row.get("summary").textValue().isBlank(), name);
            String shown = Ran.line(command + " show " + name).expect(ExitCode.DONE).out();
            assertTrue(shown.lines().count() > 5, shown);
        }
    }

    @Test
    void aPolicyIsShownAsAFileWouldSetIt() throws IOException {
        Path file = shown("policies show kvm-6.1,spec-ctrl=v4");
        Files.writeString(file, "extends: kvm-6.1\n" + Files.readString(file));
        Ran.line("policies check " + file).expect(ExitCode.DONE);
        Ran ran = Ran.line("policies diff kvm-6.1,spec-ctrl=v4 " + file).expect(ExitCode.DONE);
        assertEquals("", ran.out());
        assertEquals("No field differs.\n", ran.err());
    }

    @Test
    void aShownPlatformAndGuestRunAsTheirNamesDo() throws IOException {
        String log = " --format json --log file:" + directory.resolve("log");
        JsonNode named =
                Ran.line("record --guest idle-timer --cpu EPYC-Milan" + log)
                        .expect(ExitCode.DONE)
                        .json();
        Path cpu = Files.move(shown("cpus show EPYC-Milan"), directory.resolve("cpu.yaml"));
        Path guest = shown("guests show idle-timer");
        JsonNode fromFiles =
                Ran.line("record --guest " + guest + " --cpu " + cpu + log)
                        .expect(ExitCode.DONE)
                        .json();
        assertEquals(named.at("/sessions/0/events"), fromFiles.at("/sessions/0/events"));
        JsonNode sessions = Ran.line("sessions" + log).expect(ExitCode.DONE).json();
        assertEquals(sessions.at("/sessions/0/digest"), sessions.at("/sessions/1/digest"));
    }

    /// Long lists are compared by their members, expressions are shown whole.
    @Test
    void policiesDifferFieldByField() {
        String lists = Ran.line("policies diff kvm-6.1 kvm-6.6").expect(ExitCode.DONE).out();
        assertTrue(
                lists.lines()
                        .anyMatch(l -> l.matches("nested.vmx-merge.msrs +with IA32_FLUSH_CMD:w")),
                lists);
        String lift =
                Ran.line("policies diff kvm-6.1 kvm-6.1,spec-ctrl=v4").expect(ExitCode.DONE).out();
        assertTrue(lift.endsWith("  value != 0u && !(guest.ibrs_all && value == 1u)\n"), lift);
        JsonNode fields = json("policies diff kvm-6.1 kvm-6.6").get("differences");
        assertEquals(lists.lines().count() - 1, fields.size());
    }
}
