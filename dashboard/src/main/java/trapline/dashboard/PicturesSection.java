package trapline.dashboard;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeSet;
import trapline.dashboard.StackedBars.Part;
import trapline.engine.cost.Range;
import trapline.replayer.DiffResult;
import trapline.replayer.SideBySide;
import trapline.replayer.SideBySide.Row;

/// Both executions as pictures: exits, cycles, the hypervisor's own MSR accesses, the guest's handled ones.
final class PicturesSection {

    private PicturesSection() {}

    static void write(Html html, DiffResult diff) {
        SideBySide counts = SideBySide.of(diff);
        html.open("section", "id", "pictures").element("h2", "Side by side");
        html.open("div", "class", "pictures");
        counted("VM exits by reason", "exits", counts.exitsByReason()).write(html);
        cycles(diff).write(html);
        counted("Host MSR accesses by cause", "accesses", counts.hostByCause()).write(html);
        counted("Guest MSR accesses that exited", "accesses", counts.msrs()).write(html);
        html.close().close();
    }

    private static StackedBars counted(String title, String unit, List<Row> rows) {
        List<Part> parts =
                rows.stream()
                        .map(row ->
                                new Part(row.name(), (double) row.base(), (double) row.candidate()))
                        .toList();
        double base = parts.stream().mapToDouble(Part::base).sum();
        double candidate = parts.stream().mapToDouble(Part::candidate).sum();
        return new StackedBars(title, unit, parts, certain(base), certain(candidate));
    }

    private static Range certain(double number) {
        return new Range(number, number, number);
    }

    private static StackedBars cycles(DiffResult diff) {
        SortedMap<String, Range> base = diff.base().projection().byCause();
        SortedMap<String, Range> candidate = diff.candidate().projection().byCause();
        TreeSet<String> causes = new TreeSet<>(base.keySet());
        causes.addAll(candidate.keySet());
        List<Part> parts =
                causes.stream()
                        .map(cause ->
                                new Part(
                                        cause,
                                        base.getOrDefault(cause, Range.ZERO).typical(),
                                        candidate.getOrDefault(cause, Range.ZERO).typical()))
                        .toList();
        return new StackedBars(
                "Cycles by cause, typical; the line is the range of the whole",
                "cycles",
                parts,
                diff.base().projection().total(),
                diff.candidate().projection().total());
    }
}
