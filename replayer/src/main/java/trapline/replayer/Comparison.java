package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.CostProfile.Figure;
import trapline.engine.cost.Range;

/// What the cost of two executions says, and how far that rests on figures nobody measured.
///
/// @param difference the candidate's cycles less the base's; the same figures hold on both sides
/// @param sensitivities one for each figure that is used more often on one side
public record Comparison(Range difference, Verdict verdict, List<Sensitivity> sensitivities) {

    public enum Verdict {
        /// Whatever the figures within their ranges.
        CANDIDATE_CHEAPER,
        BASE_CHEAPER,
        EQUAL,
        /// It depends on where in their ranges the figures lie.
        DEPENDS
    }

    /// What the verdict does when one figure moves and all others stay typical.
    ///
    /// @param more how many times more often the candidate uses the figure
    /// @param breakEven the figure's value above 0 at which both cost the same; NaN where none does
    /// @param others what all other figures together add to the difference
    public record Sensitivity(
            String figure,
            long more,
            Range range,
            boolean assumed,
            double breakEven,
            Range others) {

        /// Whether the break-even lies within the figure's own range.
        public boolean decides() {
            return breakEven >= range.low() && breakEven <= range.high();
        }

        /// What the figure adds to the difference.
        public Range difference() {
            return range.times(more);
        }

        /// Where the break-even moves while the others move within their ranges; at or below 0 there is none.
        public Range breakEvens() {
            double one = -others.low() / more;
            double other = -others.high() / more;
            return new Range(Math.min(one, other), -others.typical() / more, Math.max(one, other));
        }

        /// The candidate's cycles less the base's where the figure costs so many.
        public Range at(double cycles) {
            return new Range(cycles, cycles, cycles).times(more).plus(others);
        }
    }

    /// The difference as far as assumed figures alone move it, all others staying typical.
    public Range assumed() {
        Range sum = Range.ZERO;
        for (Sensitivity sensitivity : sensitivities) {
            Range own = sensitivity.difference();
            sum = sum.plus(sensitivity.assumed() ? own : own.certain());
        }
        return sum;
    }

    static Comparison of(Projection base, Projection candidate, CostProfile profile) {
        SortedMap<String, Long> more = difference(base, candidate);
        Range sum = Range.ZERO;
        for (var entry : more.entrySet()) {
            sum = sum.plus(profile.figure(entry.getKey()).range().times(entry.getValue()));
        }
        List<Sensitivity> sensitivities = new ArrayList<>();
        for (var entry : more.entrySet()) {
            Figure figure = profile.figure(entry.getKey());
            Range others = others(more, entry.getKey(), profile);
            double breakEven = -others.typical() / entry.getValue();
            sensitivities.add(
                    new Sensitivity(
                            entry.getKey(),
                            entry.getValue(),
                            figure.range(),
                            figure.assumed(),
                            breakEven > 0 ? breakEven : Double.NaN,
                            others));
        }
        return new Comparison(sum, verdict(sum.low(), sum.high()), sensitivities);
    }

    private static Range others(SortedMap<String, Long> more, String own, CostProfile profile) {
        Range sum = Range.ZERO;
        for (var entry : more.entrySet()) {
            if (!entry.getKey().equals(own)) {
                sum = sum.plus(profile.figure(entry.getKey()).range().times(entry.getValue()));
            }
        }
        return sum;
    }

    private static Verdict verdict(double least, double most) {
        if (least == 0 && most == 0) {
            return Verdict.EQUAL;
        }
        if (most <= 0) {
            return Verdict.CANDIDATE_CHEAPER;
        }
        return least >= 0 ? Verdict.BASE_CHEAPER : Verdict.DEPENDS;
    }

    /// How many times more often the candidate uses each figure; figures used alike are left out.
    private static SortedMap<String, Long> difference(Projection base, Projection candidate) {
        SortedMap<String, Long> before = base.byFigure();
        SortedMap<String, Long> after = candidate.byFigure();
        TreeSet<String> figures = new TreeSet<>(before.keySet());
        figures.addAll(after.keySet());
        SortedMap<String, Long> more = new TreeMap<>();
        for (String figure : figures) {
            long times = after.getOrDefault(figure, 0L) - before.getOrDefault(figure, 0L);
            if (times != 0) {
                more.put(figure, times);
            }
        }
        return more;
    }
}
