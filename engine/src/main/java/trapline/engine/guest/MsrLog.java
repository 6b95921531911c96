package trapline.engine.guest;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.cpu.GuestOp;
import trapline.engine.state.MachineState;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// A guest read from a log of every RDMSR and WRMSR that a real kernel executed.
///
/// A line is `SEQ SECONDS vcpuN rdmsr|wrmsr 0xINDEX 0xVALUE RIP SYMBOL [caller …]`; `#` begins a comment.
/// The vCPUs are stepped in the log's own order. Lines that are none of these are left out, and counted.
public final class MsrLog implements Guest {

    private static final int MOST_VCPUS = 1024;
    private static final int LOOKED_AT = 10;

    private final String name;
    private final List<Line> lines;
    private final int vcpus;
    private final Malformed malformed;

    private MsrLog(String name, List<Line> lines, int vcpus, Malformed malformed) {
        this.name = name;
        this.lines = lines;
        this.vcpus = vcpus;
        this.malformed = malformed;
    }

    private record Line(int vcpu, Step step) {}

    /// Lines that are no accesses, a last one that was cut short among them.
    ///
    /// @param first what is wrong with the first one, and where; empty where there is none
    public record Malformed(long lines, String first) {}

    /// Reads a log; `name` names it in errors.
    public static MsrLog parse(String text, String name) {
        List<Line> lines = new ArrayList<>();
        Malformed malformed = new Malformed(0, "");
        int vcpus = 1;
        int number = 0;
        for (String row : (Iterable<String>) text.lines()::iterator) {
            number++;
            if (row.isBlank() || row.startsWith("#")) {
                continue;
            }
            try {
                Line line = new Parser(row, name + ":" + number).line();
                vcpus = Math.max(vcpus, line.vcpu() + 1);
                lines.add(line);
            } catch (InputException e) {
                String first = malformed.lines() == 0 ? e.getMessage() : malformed.first();
                malformed = new Malformed(malformed.lines() + 1, first);
            }
        }
        if (malformed.lines() > lines.size()) {
            throw new InputException(
                    Kind.SYNTAX,
                    "",
                    "%s; %d of %d lines are no accesses"
                            .formatted(
                                    malformed.first(),
                                    malformed.lines(),
                                    malformed.lines() + lines.size()));
        }
        if (lines.isEmpty()) {
            throw new InputException(Kind.SYNTAX, name, "the log holds no access");
        }
        return new MsrLog(name, List.copyOf(lines), vcpus, malformed);
    }

    /// Whether a text looks like such a log: one of its first lines is an access.
    public static boolean recognizes(String text) {
        return text.lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .limit(LOOKED_AT)
                .anyMatch(line -> line.matches("\\d+ \\S+ vcpu\\d+ (rd|wr)msr 0x.*"));
    }

    /// What of the text was left out.
    public Malformed malformed() {
        return malformed;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int vcpus() {
        return vcpus;
    }

    /// How many accesses it holds.
    public int accesses() {
        return lines.size();
    }

    @Override
    public GuestRun start(long seed) {
        return new GuestRun() {
            private int next;

            @Override
            public boolean advance(MachineState machine) {
                next++;
                return next <= lines.size();
            }

            @Override
            public int vcpu() {
                return lines.get(next - 1).vcpu();
            }

            @Override
            public Step step() {
                return lines.get(next - 1).step();
            }
        };
    }

    /// One line's fields.
    private record Parser(String[] cells, String place) {

        Parser(String row, String place) {
            this(row.trim().split("\\s+"), place);
        }

        Line line() {
            if (cells.length < 7) {
                throw expected(
                        "SEQ SECONDS vcpuN rdmsr|wrmsr INDEX VALUE RIP",
                        "a line with " + cells.length + " fields");
            }
            int vcpu = vcpu(cells[2]);
            int msr = (int) hex(cells[4], 32);
            long value = hex(cells[5], 64);
            long rip = digits(cells[6], cells[6], 64);
            return switch (cells[3]) {
                case "wrmsr" ->
                        new Line(vcpu, new Step.Do(new GuestOp.Wrmsr(rip, msr, value, true)));
                case "rdmsr" ->
                        new Line(vcpu, new Step.Do(new GuestOp.Rdmsr(rip, msr, true, value)));
                default -> throw expected("rdmsr or wrmsr", "'" + cells[3] + "'");
            };
        }

        private int vcpu(String cell) {
            if (!cell.matches("vcpu\\d{1,4}")) {
                throw expected("vcpuN", "'" + cell + "'");
            }
            int vcpu = Integer.parseInt(cell.substring(4));
            if (vcpu >= MOST_VCPUS) {
                throw expected("a vCPU below " + MOST_VCPUS, "'" + cell + "'");
            }
            return vcpu;
        }

        private long hex(String cell, int bits) {
            return digits(cell.startsWith("0x") ? cell.substring(2) : "", cell, bits);
        }

        private long digits(String digits, String cell, int bits) {
            if (!digits.matches("[0-9a-fA-F]{1," + bits / 4 + "}")) {
                throw expected("a hexadecimal number of " + bits + " bits", "'" + cell + "'");
            }
            return Long.parseUnsignedLong(digits, 16);
        }

        private InputException expected(String what, String found) {
            return new InputException(
                    Kind.SYNTAX, place, "expected %s, found %s".formatted(what, found));
        }
    }
}
