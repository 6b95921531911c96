package trapline.engine.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.engine.Bad.syntax;
import static trapline.engine.Bad.unknown;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;

/// Cost profiles: every figure has a source or says that it is assumed; what is wrong is told with its place.
class CostProfileTest {

    /// Every action, in three lines each from the second on; `exit` is at the third.
    private static String profile(String exit) {
        StringBuilder text = new StringBuilder("costs: mine\nactions:\n  exit: " + exit + "\n");
        for (String action : CostProfile.ACTIONS.subList(1, CostProfile.ACTIONS.size())) {
            text.append("  ").append(action).append(": {range: [1, 2, 3], assumed: true}\n");
        }
        return text.toString();
    }

    static Stream<Bad> figures() {
        return Stream.of(
                syntax("5", "3:9: expected a mapping, found '5'"),
                syntax("{assumed: true}", "3:9: 'range' is missing"),
                unknown(
                        "{rage: [1, 2, 3]}",
                        "3:10: unknown key 'rage' in a figure; did you mean range?"),
                syntax("{range: 5, assumed: true}", "3:17: expected a list, found '5'"),
                syntax("{range: [1, 2], assumed: true}", "3:17: expected [LOW, TYPICAL, HIGH]"),
                syntax(
                        "{range: [1, 3, 2], assumed: true}",
                        "3:17: expected LOW, TYPICAL and HIGH in ascending order"),
                syntax(
                        "{range: [-1, 2, 3], assumed: true}",
                        "3:18: expected a number from 0 to 1000000000, found -1"),
                syntax(
                        "{range: [1, 2, 1000000001], assumed: true}",
                        "3:24: expected a number from 0 to 1000000000, found 1000000001"),
                syntax(
                        "{range: [0.5, 2, 3], assumed: true}",
                        "3:18: expected a whole number of up to 64 bits, found '0.5'"),
                syntax(
                        "{range: [1, 2, 3]}",
                        "3:9: a figure has a source, or is marked 'assumed: true'"),
                syntax(
                        "{range: [1, 2, 3], assumed: false}",
                        "3:9: a figure has a source, or is marked 'assumed: true'"),
                syntax(
                        "{range: [1, 2, 3], assumed: maybe}",
                        "3:37: expected true or false, found 'maybe'"));
    }

    @ParameterizedTest
    @MethodSource("figures")
    void refusesFigure(Bad bad) {
        new Bad(bad.kind(), bad.text(), "c.yaml:" + bad.message())
                .check(() -> CostProfile.parse(profile(bad.text()), "c.yaml"));
    }

    private static final String GOOD = profile("{range: [1, 2, 3], source: a paper}");

    static Stream<Bad> files() {
        return Stream.of(
                syntax("", "c.yaml: the file is empty"),
                syntax("[]", "c.yaml:1:1: expected a mapping, found a list"),
                syntax("costs: x\n", "c.yaml:1:1: 'actions' is missing"),
                syntax("costs: x\nactions: 5\n", "c.yaml:2:10: expected a mapping, found '5'"),
                syntax("costs: x\nactions: {}\n", "c.yaml:2:10: 'exit' is missing"),
                syntax(GOOD.replace("costs: mine\n", ""), "c.yaml:1:1: 'costs' is missing"),
                unknown(
                        GOOD.replace("costs:", "cost:"),
                        "c.yaml:1:1: unknown key 'cost' in a cost profile; did you mean costs?"),
                unknown(
                        GOOD.replace("exit:", "exitt:"),
                        "c.yaml:3:3: unknown action 'exitt'; did you mean exit?"),
                unknown(
                        GOOD + "  handlr.MSR_WRITE: {range: [1, 2, 3], assumed: true}\n",
                        "c.yaml:16:3: unknown action 'handlr.MSR_WRITE'; did you mean handler?"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesFile(Bad bad) {
        bad.check(() -> CostProfile.parse(bad.text(), "c.yaml"));
    }

    @Test
    void refusesUnknownProfile() {
        unknown(
                        "itnel",
                        "unknown cost profile 'itnel'; built in are intel, amd, thread-0; did you mean intel?")
                .check(() -> CostProfile.find("itnel", _ -> Optional.empty()));
    }

    @Test
    void closestCircumstanceWins() {
        CostProfile profile =
                CostProfile.parse(
                        GOOD + "  handler.MSR_WRITE: {range: [7, 8, 9], assumed: true}\n",
                        "c.yaml");
        assertEquals("handler.MSR_WRITE", profile.keyOf("handler", "x", "MSR_WRITE"));
        assertEquals("handler", profile.keyOf("handler", "x"));
        assertEquals(new Range(7, 8, 9), profile.figure("handler.MSR_WRITE").range());
        assertEquals("cycles", profile.unit());
    }

    /// FACTS 1.7: 1000 cycles for a write that exits, 50 for the RDMSR after an exit, nothing else: 1000·W against 50·N.
    @Test
    void estimateOfThread0() {
        CostProfile profile = CostProfile.find("thread-0", _ -> Optional.empty());
        for (String reason : List.of("MSR_WRITE", "msr")) {
            String key = profile.keyOf("handler", reason);
            assertEquals(new Range(1000, 1000, 1000), profile.figure(key).range());
        }
        String read = profile.keyOf("host-rdmsr", "exitSave");
        assertEquals(new Range(50, 50, 50), profile.figure(read).range());
        for (String action : CostProfile.ACTIONS) {
            assertEquals(Range.ZERO, profile.figure(action).range(), action);
        }
    }

    @Test
    void builtInProfilesRead() {
        for (String name : CostProfile.builtIn()) {
            CostProfile profile = CostProfile.find(name, _ -> Optional.empty());
            assertEquals(name, profile.name());
            assertTrue(profile.figures().keySet().containsAll(CostProfile.ACTIONS), name);
        }
    }
}
