package trapline.cli;

import java.util.Map;
import java.util.TreeSet;
import trapline.engine.cost.Range;
import trapline.fleet.diff.FleetTotals;
import trapline.fleet.diff.FleetTotals.OneSide;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetResult.FleetState;

/// What many sessions say of a policy, for people.
final class FleetText {

    private FleetText() {}

    /// One session's result, as it arrives.
    static void row(FleetResult result, Console console) {
        if (result.state() == FleetState.FAILED) {
            console.line("%s  failed: %s", result.session(), result.error());
        } else {
            FleetTotals.Row row = FleetTotals.row(result);
            console.line(
                    "%s  exits %s -> %s, cycles %s",
                    row.session(),
                    Table.number(row.baseExits()),
                    Table.number(row.candidateExits()),
                    signed(row.cycles()));
        }
        console.out().flush();
    }

    static void print(FleetTotals totals, Console console) {
        if (console.json()) {
            console.document(totals.tree());
            return;
        }
        console.line(
                "%s: %s of %s sessions, %s failed; in %s the policies differ, in %s the guest could tell",
                totals.run().run(),
                Table.number(totals.done()),
                Table.number(totals.run().total()),
                Table.number(totals.failed()),
                Table.number(totals.parted()),
                Table.number(totals.guestVisible()));
        console.line("");
        console.out().print(sums(totals.base(), totals.candidate()));
        if (!totals.largest().isEmpty()) {
            console.line("");
            console.out().print(largest(totals));
        }
        totals.failures()
                .forEach(
                        failed -> console.line("%s  failed: %s", failed.session(), failed.error()));
        if (totals.failures().size() < totals.failed()) {
            console.line("and %d others failed", totals.failed() - totals.failures().size());
        }
    }

    private static Table sums(OneSide base, OneSide candidate) {
        Table table = new Table("lrrr").row("", "BASE", "CANDIDATE", "DIFFERENCE");
        count(table, "exits", base.exits(), candidate.exits());
        counts(table, "  ", base.byReason(), candidate.byReason());
        Range before = base.cycles();
        Range after = candidate.cycles();
        cycles(table, "cycles, low", before.low(), after.low());
        cycles(table, "cycles, typical", before.typical(), after.typical());
        cycles(table, "cycles, high", before.high(), after.high());
        counts(table, "broken: ", base.violations(), candidate.violations());
        return table;
    }

    private static void counts(
            Table table, String prefix, Map<String, Long> base, Map<String, Long> candidate) {
        TreeSet<String> names = new TreeSet<>(base.keySet());
        names.addAll(candidate.keySet());
        for (String name : names) {
            count(
                    table,
                    prefix + name,
                    base.getOrDefault(name, 0L),
                    candidate.getOrDefault(name, 0L));
        }
    }

    private static void count(Table table, String name, long base, long candidate) {
        table.row(name, base, candidate, signed((double) (candidate - base)));
    }

    private static void cycles(Table table, String name, double base, double candidate) {
        table.row(name, Math.round(base), Math.round(candidate), signed(candidate - base));
    }

    private static Table largest(FleetTotals totals) {
        Table table = new Table("lrrr").row("SESSION", "BASE EXITS", "CANDIDATE EXITS", "CYCLES");
        for (FleetTotals.Row row : totals.largest()) {
            table.row(row.session(), row.baseExits(), row.candidateExits(), signed(row.cycles()));
        }
        return table;
    }

    private static String signed(double number) {
        long whole = Math.round(number);
        return (whole > 0 ? "+" : "") + Table.number(whole);
    }
}
