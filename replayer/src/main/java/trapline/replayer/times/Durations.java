package trapline.replayer.times;

import java.util.Arrays;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.PackedHistogram;

/// How long something took, each time: count, sum, extremes, mean and deviation exactly, the distribution to
/// three significant digits.
///
/// The first few are kept as they are, since most of many groups have no more.
public final class Durations {

    /// Significant digits of percentiles.
    public static final int DIGITS = 3;

    private static final int FEW = 256;

    private long count;
    private long sum;
    private long min = Long.MAX_VALUE;
    private long max;
    private double mean;
    private double squares;
    private long[] few = new long[2];
    private AbstractHistogram many;

    void add(long duration) {
        keep(duration);
        count++;
        sum += duration;
        min = Math.min(min, duration);
        max = Math.max(max, duration);
        double off = duration - mean;
        mean += off / count;
        squares += off * (duration - mean);
    }

    private void keep(long duration) {
        if (many != null) {
            many.recordValue(duration);
        } else if (count < FEW) {
            if (count == few.length) {
                few = Arrays.copyOf(few, 2 * few.length);
            }
            few[(int) count] = duration;
        } else {
            AbstractHistogram histogram = new PackedHistogram(DIGITS);
            fill(histogram);
            histogram.recordValue(duration);
            many = histogram;
            few = null;
        }
    }

    private void fill(AbstractHistogram histogram) {
        if (many != null) {
            histogram.add(many);
        } else {
            for (int i = 0; i < count; i++) {
                histogram.recordValue(few[i]);
            }
        }
    }

    /// Both together.
    static Durations of(Durations a, Durations b) {
        if (a.count == 0 || b.count == 0) {
            return a.count == 0 ? b : a;
        }
        Durations both = new Durations();
        both.count = a.count + b.count;
        both.sum = a.sum + b.sum;
        both.min = Math.min(a.min, b.min);
        both.max = Math.max(a.max, b.max);
        double off = b.mean - a.mean;
        both.mean = (double) both.sum / both.count;
        both.squares = a.squares + b.squares + off * off * a.count * b.count / both.count;
        both.take(a, b);
        return both;
    }

    private void take(Durations a, Durations b) {
        if (count <= FEW) {
            few = Arrays.copyOf(a.few, (int) count);
            System.arraycopy(b.few, 0, few, (int) a.count, (int) b.count);
        } else {
            few = null;
            AbstractHistogram histogram = new PackedHistogram(DIGITS);
            a.fill(histogram);
            b.fill(histogram);
            many = histogram;
        }
    }

    public long count() {
        return count;
    }

    /// All of them together.
    public long sum() {
        return sum;
    }

    public long min() {
        return count == 0 ? 0 : min;
    }

    public long max() {
        return max;
    }

    public double mean() {
        return count == 0 ? 0 : (double) sum / count;
    }

    /// The standard deviation of a sample; 0 of a single one.
    public double deviation() {
        return count < 2 ? 0 : Math.sqrt(squares / (count - 1));
    }

    /// What these shares of them did not exceed, in percent and ascending: the smallest such values.
    long[] percentiles(double... percents) {
        long[] found = new long[percents.length];
        if (count == 0) {
            return found;
        }
        if (many == null) {
            long[] sorted = Arrays.copyOf(few, (int) count);
            Arrays.sort(sorted);
            Arrays.setAll(found, i -> sorted[(int) rank(percents[i]) - 1]);
            return found;
        }
        int next = 0;
        for (HistogramIterationValue value : many.recordedValues()) {
            while (next < found.length
                    && value.getTotalCountToThisValue() >= rank(percents[next])) {
                found[next++] = Math.clamp(value.getValueIteratedTo(), min, max);
            }
            if (next == found.length) {
                break;
            }
        }
        return found;
    }

    private long rank(double percent) {
        return Math.max(1, (long) Math.ceil(percent / 100 * count));
    }

    /// How many there are of each number of binary digits: `[i]` from 2^(i-1) on and below 2^i, `[0]` zeros.
    public long[] byMagnitude() {
        long[] counts = new long[Long.SIZE];
        if (many == null) {
            for (int i = 0; i < count; i++) {
                counts[magnitude(few[i])]++;
            }
        } else {
            many.recordedValues()
                    .forEach(value ->
                            counts[magnitude(value.getValueIteratedTo())] +=
                                    value.getCountAtValueIteratedTo());
        }
        return counts;
    }

    private static int magnitude(long value) {
        return Long.SIZE - Long.numberOfLeadingZeros(value);
    }
}
