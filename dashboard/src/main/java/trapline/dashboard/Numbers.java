package trapline.dashboard;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import trapline.engine.cost.Range;
import trapline.replayer.SideBySide.Row;

/// Numbers as the page writes them: with a comma every three digits, the same in every locale.
final class Numbers {

    private Numbers() {}

    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /// With its sign, and a plain 0.
    static String change(long change) {
        return (change > 0 ? "+" : "") + count(change);
    }

    /// Whole cycles.
    static String cycles(double cycles) {
        return count(Math.round(cycles));
    }

    static String cyclesChange(double cycles) {
        return change(Math.round(cycles));
    }

    /// Cycles of one action, which may be few: to a tenth below 100.
    static String figure(double cycles) {
        boolean fine = Math.abs(cycles) < 100 && cycles != Math.rint(cycles);
        return fine ? String.format(Locale.ROOT, "%.1f", cycles) : cycles(cycles);
    }

    /// `50 (42 to 85)`, or one number where nothing is in doubt.
    static String figure(Range range) {
        return range.low() == range.high()
                ? figure(range.typical())
                : "%s (%s to %s)"
                        .formatted(
                                figure(range.typical()), figure(range.low()), figure(range.high()));
    }

    static String percent(Row row) {
        return percent((double) row.base(), (double) row.candidate());
    }

    /// What a change is of its base: `+12 %`, `×40` from tenfold on, `new` where there was nothing.
    static String percent(double base, double candidate) {
        if (base == candidate) {
            return "";
        }
        if (base == 0) {
            return "new";
        }
        if (candidate >= 10 * base) {
            return "\u00d7" + trimmed(candidate / base);
        }
        double percent = 100 * (candidate - base) / base;
        return (percent > 0 ? "+" : "") + rounded(percent) + " %";
    }

    /// Whole from 10 on, two digits below.
    static String rounded(double percent) {
        if (Math.abs(percent) >= 10) {
            return count(Math.round(percent));
        }
        return new BigDecimal(percent)
                .round(new MathContext(2, RoundingMode.HALF_UP))
                .stripTrailingZeros()
                .toPlainString();
    }

    /// For axes: `250k`, `1.5M`.
    static String brief(double value) {
        double size = Math.abs(value);
        if (size >= 1e9) {
            return trimmed(value / 1e9) + "G";
        }
        if (size >= 1e6) {
            return trimmed(value / 1e6) + "M";
        }
        return size >= 1e4 ? trimmed(value / 1e3) + "k" : trimmed(value);
    }

    private static String trimmed(double value) {
        return new BigDecimal(value)
                .round(new MathContext(4, RoundingMode.HALF_UP))
                .stripTrailingZeros()
                .toPlainString();
    }

    /// `1 vCPU`, `2 vCPUs`.
    static String plural(long count, String noun) {
        return count(count) + " " + noun + (count == 1 ? "" : "s");
    }
}
