package trapline.replayer.times;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// Groups made into lines, in an order that depends on nothing else.
public final class Rows {

    /// What lines are ordered by.
    public enum Order {
        COUNT(Row::count),
        TIME(row -> row.all().sum()),
        MEAN(row -> row.all().mean()),
        MAX(row -> row.all().max()),
        P99(row -> row.all().p99()),
        NAME(null);

        private final ToDoubleFunction<Row> figure;

        Order(ToDoubleFunction<Row> figure) {
            this.figure = figure;
        }

        /// As options spell it.
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        Comparator<Row> comparator() {
            Comparator<Row> byName = Comparator.comparing(Row::subject, Rows::byName);
            Comparator<Row> inOrder =
                    figure == null
                            ? byName
                            : Comparator.comparingDouble(figure).reversed().thenComparing(byName);
            return Comparator.comparing((Row row) -> row.subject().others()).thenComparing(inOrder);
        }
    }

    private static final long[] NO_MAGNITUDES = {};

    private Rows() {}

    /// @param distribution whether to have durations by magnitude, too
    static List<Row> of(Groups groups, Dimension dimension, Order order, boolean distribution) {
        List<Row> rows = new ArrayList<>();
        long[] total = new long[2];
        groups.forEach(
                dimension,
                (_, group) -> {
                    total[0] += group.count();
                    total[1] += group.all().sum();
                });
        groups.forEach(
                dimension, (subject, group) -> rows.add(row(subject, group, total, distribution)));
        rows.sort(order.comparator());
        return Collections.unmodifiableList(rows);
    }

    private static Row row(Subject subject, Group group, long[] total, boolean distribution) {
        Durations all = group.all();
        Spread spread = Spread.of(all);
        return new Row(
                subject,
                group.count(),
                share(group.count(), total[0]),
                share(all.sum(), total[1]),
                spread,
                all == group.inside() ? spread : Spread.of(group.inside()),
                group.userspaceExits(),
                group.userspaceTime(),
                group.haltedTime(),
                distribution ? all.byMagnitude() : NO_MAGNITUDES);
    }

    private static double share(long part, long whole) {
        return whole == 0 ? 0 : Math.round(1_000_000.0 * part / whole) / 1_000_000.0;
    }

    private static int byName(Subject a, Subject b) {
        return switch (a.dimension()) {
            case REASON, USERSPACE -> a.text().compareTo(b.text());
            default -> Long.compareUnsigned(a.code(), b.code());
        };
    }
}
