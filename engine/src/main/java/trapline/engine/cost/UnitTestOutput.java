package trapline.engine.cost;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What kvm-unit-tests' `vmexit.flat` and `svm.flat` measured.
///
/// The first prints `cpuid 1234` for each of its tests, cycles for one go, and `NAME (skipped)`; the second
/// `Latency VMRUN : max: 49300 min: 3160 avg: 3228`. What else a test prints there is neither.
///
/// @param measured by test, a latency as `Latency VMRUN`; where a test ran more than once, the last
/// @param skipped tests that say so of themselves
/// @param bad lines that begin like a measurement and are none, each with its number
public record UnitTestOutput(
        SequencedMap<String, Measured> measured, List<String> skipped, List<Bad> bad) {

    /// Cycles; a line of `vmexit.flat` has the mean alone.
    public record Measured(double low, double typical, double high, String test, int line) {}

    public record Bad(int line, String text) {}

    /// Tests of `vmexit.flat`, as far as they say what a figure costs.
    private static final Set<String> EXITS =
            Set.of(
                    "cpuid",
                    "vmcall",
                    "inl_from_qemu",
                    "inl_from_pmtimer",
                    "inl_from_kernel",
                    "outl_to_kernel",
                    "mov_dr",
                    "tscdeadline_immed",
                    "wr_kernel_gs_base",
                    "wr_tsx_ctrl_msr",
                    "wr_ibrs_msr",
                    "wr_ibpb_msr",
                    "wr_tsc_adjust_msr",
                    "rd_tsc_adjust_msr");

    private static final Pattern EXIT =
            Pattern.compile("(?<test>[a-z][a-z0-9_+-]*) +(?<cycles>[0-9]{1,12}(?:\\.[0-9]{1,6})?)");

    private static final Pattern SKIPPED =
            Pattern.compile("(?<test>[a-z][a-z0-9_+-]*) \\(skipped\\)");

    private static final Pattern LATENCY =
            Pattern.compile(
                    "Latency (?<test>[A-Z]+) *: *max: *(?<max>[0-9]{1,12}) +min: *(?<min>[0-9]{1,12})"
                            + " +avg: *(?<avg>[0-9]{1,12})");

    private static final Pattern BEGINNING =
            Pattern.compile("(Latency\\b.*)|(?<test>[a-z][a-z0-9_]*)\\b.*");

    public static UnitTestOutput parse(String text) {
        SequencedMap<String, Measured> measured = new LinkedHashMap<>();
        List<String> skipped = new ArrayList<>();
        List<Bad> bad = new ArrayList<>();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            String content = line.strip();
            Matcher exit = EXIT.matcher(content);
            Matcher latency = LATENCY.matcher(content);
            Matcher skip = SKIPPED.matcher(content);
            if (exit.matches()) {
                if (EXITS.contains(exit.group("test"))) {
                    double cycles = Double.parseDouble(exit.group("cycles"));
                    String test = exit.group("test");
                    put(measured, test, new Measured(cycles, cycles, cycles, test, number));
                }
            } else if (latency.matches()) {
                latency(latency, number, measured, bad, content);
            } else if (skip.matches()) {
                skipped.add(skip.group("test"));
            } else if (looksLikeOne(content)) {
                bad.add(new Bad(number, content));
            }
        }
        return new UnitTestOutput(
                Collections.unmodifiableSequencedMap(measured),
                List.copyOf(skipped),
                List.copyOf(bad));
    }

    /// The highest of a million was an interrupt: as much above the mean as the lowest is below, at the most.
    private static void latency(
            Matcher found,
            int line,
            SequencedMap<String, Measured> measured,
            List<Bad> bad,
            String content) {
        double low = Double.parseDouble(found.group("min"));
        double high = Double.parseDouble(found.group("max"));
        double mean = Double.parseDouble(found.group("avg"));
        if (low > mean || mean > high) {
            bad.add(new Bad(line, content));
            return;
        }
        String test = "Latency " + found.group("test");
        double upper = Math.min(high, mean + (mean - low));
        put(measured, test, new Measured(low, mean, upper, test, line));
    }

    private static void put(SequencedMap<String, Measured> measured, String test, Measured value) {
        measured.remove(test);
        measured.put(test, value);
    }

    private static boolean looksLikeOne(String content) {
        Matcher beginning = BEGINNING.matcher(content);
        return beginning.matches()
                && (content.startsWith("Latency") || EXITS.contains(beginning.group("test")));
    }
}
