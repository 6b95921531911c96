package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Maps numbers onto the width of a drawing, in percent, so that drawings stretch and texts do not.
record Scale(double from, double to) {

    private static final int TICKS = 5;

    /// A scale that has 0 and both numbers, with some room on either side.
    static Scale around(double low, double high, double room) {
        double from = Math.min(0, low);
        double to = Math.max(0, high);
        double span = to > from ? to - from : 1;
        return new Scale(from - room * span, to + room * span);
    }

    static Scale upTo(double high) {
        return new Scale(0, high > 0 ? high : 1);
    }

    String at(double value) {
        return percent(100 * (value - from) / (to - from));
    }

    String width(double low, double high) {
        return percent(100 * (high - low) / (to - from));
    }

    private static String percent(double percent) {
        return String.format(Locale.ROOT, "%.3f%%", Math.clamp(percent, -1000, 1000));
    }

    /// Round whole numbers to mark on the axis.
    List<Double> ticks() {
        double rough = Math.max(1, (to - from) / TICKS);
        double decade = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = decade;
        for (double round : new double[] {2, 5, 10}) {
            if (step < rough) {
                step = round * decade;
            }
        }
        List<Double> ticks = new ArrayList<>();
        for (double n = Math.ceil(from / step); n * step <= to; n++) {
            ticks.add(n * step + 0.0);
        }
        return ticks;
    }
}
