package trapline.cli;

import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.cost.Range;
import trapline.engine.event.Event;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.Comparison;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Describe;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Difference;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.Names;
import trapline.replayer.Tally;
import trapline.replayer.Tally.HostAccess;

/// A diff as a table for the terminal.
final class DiffText {

    private static final int MOST_DIFFERENCES = 5;

    /// A list with more unchanged rows than this shows only what changed.
    private static final int FEW = 6;

    private final DiffResult diff;
    private final boolean all;
    private final Table table = new Table("lrrr");

    private DiffText(DiffResult diff, boolean all) {
        this.diff = diff;
        this.all = all;
    }

    /// @param all whether long lists show their unchanged rows, too
    static String of(DiffResult diff, boolean all) {
        return new DiffText(diff, all).text();
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        text.append(
                "session %s: %s on %s, %d vCPU%s, %s guest ops\n\n"
                        .formatted(
                                diff.session().name(),
                                diff.session().header().guest().name(),
                                diff.session().machines().platform().name(),
                                diff.session().vcpus(),
                                diff.session().vcpus() == 1 ? "" : "s",
                                Table.number(diff.base().tally().guestOps())));
        rows();
        text.append(table).append('\n');
        diff.notes().forEach(note -> text.append("note: ").append(note).append('\n'));
        text.append(verdict()).append('\n');
        text.append("first divergence: ")
                .append(diff.firstDivergence().map(DiffText::divergence).orElse("none"))
                .append('\n');
        text.append("guest-visible: ").append(guestVisible()).append('\n');
        return text.toString();
    }

    private void rows() {
        Tally base = diff.base().tally();
        Tally candidate = diff.candidate().tally();
        table.row("", "base", "candidate", "change");
        table.row("", diff.base().policy(), diff.candidate().policy());
        row("VM exits", base.exits(), candidate.exits());
        rows("  ", byReason(base), byReason(candidate));
        rows("  handled ", byMsr(base), byMsr(candidate));
        row("host RDMSR", host(base, false), host(candidate, false));
        rows("  ", byCause(base, false), byCause(candidate, false));
        row("host WRMSR", host(base, true), host(candidate, true));
        rows("  ", byCause(base, true), byCause(candidate, true));
        row(diff.session().vendor() == Vendor.VMX ? "VMWRITE" : "VMCB writes", base.fieldWrites(), candidate.fieldWrites());
        cycles();
    }

    private void row(String name, long base, long candidate) {
        table.row(name, base, candidate, change(candidate - base));
    }

    private static String change(long change) {
        return change == 0 ? "" : (change > 0 ? "+" : "") + Table.number(change);
    }

    private void rows(
            String indent, SortedMap<String, Long> base, SortedMap<String, Long> candidate) {
        TreeSet<String> names = new TreeSet<>(base.keySet());
        names.addAll(candidate.keySet());
        long unchanged =
                names.stream().filter(name -> same(name, base, candidate)).count();
        boolean fold = !all && unchanged > FEW;
        for (String name : names) {
            if (!fold || !same(name, base, candidate)) {
                row(indent + name, base.getOrDefault(name, 0L), candidate.getOrDefault(name, 0L));
            }
        }
        if (fold) {
            table.row(indent + "… " + unchanged + " more, unchanged");
        }
    }

    private static boolean same(
            String name, SortedMap<String, Long> base, SortedMap<String, Long> candidate) {
        return base.getOrDefault(name, 0L).equals(candidate.getOrDefault(name, 0L));
    }

    private static SortedMap<String, Long> byReason(Tally tally) {
        SortedMap<String, Long> counts = new TreeMap<>();
        tally.exitsByReason()
                .forEach((reason, count) ->
                        counts.merge(Names.exit(tally.vendor(), reason), count, Long::sum));
        return counts;
    }

    private static SortedMap<String, Long> byMsr(Tally tally) {
        SortedMap<String, Long> counts = new TreeMap<>();
        tally.msrAccesses()
                .forEach((msr, count) -> {
                    String name = Msrs.name(msr.intValue());
                    if (count.reads() > 0) {
                        counts.put(name + " read", count.reads());
                    }
                    if (count.writes() > 0) {
                        counts.put(name + " write", count.writes());
                    }
                });
        return counts;
    }

    private static SortedMap<String, Long> byCause(Tally tally, boolean write) {
        SortedMap<String, Long> counts = new TreeMap<>();
        for (HostAccess access : tally.hostAccesses()) {
            if (access.write() == write) {
                counts.merge(
                        Msrs.name(access.msr()) + " " + access.causeName(),
                        access.count(),
                        Long::sum);
            }
        }
        return counts;
    }

    private static long host(Tally tally, boolean write) {
        return tally.hostAccesses().stream()
                .filter(access -> access.write() == write)
                .mapToLong(HostAccess::count)
                .sum();
    }

    private void cycles() {
        Range base = diff.base().projection().total();
        Range candidate = diff.candidate().projection().total();
        table.row(
                "cycles, typical (" + diff.costs().name() + ")",
                Math.round(base.typical()),
                Math.round(candidate.typical()),
                change(Math.round(candidate.typical() - base.typical())));
        table.row("  at the least", Math.round(base.low()), Math.round(candidate.low()));
        table.row("  at the most", Math.round(base.high()), Math.round(candidate.high()));
    }

    private String verdict() {
        Comparison comparison = diff.comparison();
        Range cycles = comparison.difference();
        String range =
                "%s cycles, from %s to %s"
                        .formatted(
                                signed(cycles.typical()),
                                signed(cycles.low()),
                                signed(cycles.high()));
        StringBuilder text = new StringBuilder("verdict: ");
        text.append(
                switch (comparison.verdict()) {
                    case EQUAL -> "both cost the same";
                    case CANDIDATE_CHEAPER -> "the candidate is cheaper: " + range;
                    case BASE_CHEAPER -> "the base is cheaper: " + range;
                    case DEPENDS -> "it depends: " + range;
                });
        for (Sensitivity sensitivity : comparison.sensitivities()) {
            text.append("\n  ").append(sensitivity(sensitivity));
        }
        return text.toString();
    }

    private static String sensitivity(Sensitivity s) {
        return "%s times %s at %s cycles%s%s"
                .formatted(
                        change(s.more()),
                        s.figure(),
                        range(s.range()),
                        s.assumed() ? ", assumed" : "",
                        breakEven(s));
    }

    private static String breakEven(Sensitivity s) {
        if (Double.isNaN(s.breakEven())) {
            return "";
        }
        return "; both cost the same at %,.1f%s"
                .formatted(s.breakEven(), s.decides() ? ", within its range" : "");
    }

    private static String range(Range range) {
        return range.low() == range.high()
                ? Table.number(Math.round(range.typical()))
                : "%s (%s to %s)"
                        .formatted(
                                Table.number(Math.round(range.typical())),
                                Table.number(Math.round(range.low())),
                                Table.number(Math.round(range.high())));
    }

    private static String signed(double cycles) {
        long rounded = Math.round(cycles);
        return (rounded > 0 ? "+" : "") + Table.number(rounded);
    }

    private static String divergence(Divergence d) {
        return "vCPU %d, op %s, %s\n  %s"
                .formatted(
                        d.vcpu(), Table.number(d.op()), d.opName(), d.what().replace("; ", "\n  "));
    }

    private String guestVisible() {
        if (diff.guestVisible().identical()) {
            return "identical, op for op";
        }
        Describe describe = new Describe(diff.session().vendor());
        StringBuilder text =
                new StringBuilder(
                        "%s ops differ".formatted(Table.number(diff.guestVisible().count())));
        for (Difference d :
                diff.guestVisible().differences().stream().limit(MOST_DIFFERENCES).toList()) {
            text.append(
                    "\n  vCPU %d, op %s: base %s; candidate %s"
                            .formatted(
                                    d.vcpu(),
                                    Table.number(d.op()),
                                    event(describe, Optional.ofNullable(d.base())),
                                    event(describe, Optional.ofNullable(d.candidate()))));
        }
        return text.toString();
    }

    private static String event(Describe describe, Optional<? extends Event> event) {
        return event.map(describe::event).orElse("never ended");
    }
}
