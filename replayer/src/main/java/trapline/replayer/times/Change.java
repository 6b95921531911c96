package trapline.replayer.times;

import org.apache.commons.statistics.distribution.TDistribution;

/// How one figure differs between two traces, as a share of the first, with the interval that has it in 95 of 100 cases.
///
/// @param known whether there is a change to speak of: both figures are there
/// @param bounded whether the interval is known, too
public record Change(
        double base,
        double candidate,
        boolean known,
        double change,
        boolean bounded,
        double low,
        double high,
        Verdict verdict) {

    /// What one may say.
    public enum Verdict {
        MORE("more"),
        FEWER("fewer"),
        LONGER("longer"),
        SHORTER("shorter"),
        NO_CHANGE("no change seen"),
        TOO_FEW("too few to tell"),
        ONLY_BASE("only in the first"),
        ONLY_CANDIDATE("only in the second"),
        SAME("same"),
        NO_TIMES("no times");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }

    /// Below so many in one of the traces nothing is said.
    static final int FEWEST = 10;

    /// Windows that have to have something.
    private static final int FEWEST_WINDOWS = 8;

    private static final double TAIL = 0.975;

    /// Counts that are exact, because the same execution always has them.
    static Change exact(long base, long candidate) {
        Verdict verdict =
                candidate > base ? Verdict.MORE : candidate < base ? Verdict.FEWER : Verdict.SAME;
        double before = (double) base;
        double after = (double) candidate;
        return new Change(before, after, base > 0, relative(before, after), false, 0, 0, verdict);
    }

    /// Counts of which at least one is without times.
    static Change untimed(long base, long candidate) {
        return new Change(
                (double) base, (double) candidate, false, 0, false, 0, 0, Verdict.NO_TIMES);
    }

    /// @param baseCount on how many the ratio rests
    static Change of(Ratio base, long baseCount, Ratio candidate, long candidateCount) {
        if (baseCount == 0 || candidateCount == 0) {
            return missing(base, baseCount, candidate, candidateCount);
        }
        if (Math.min(baseCount, candidateCount) < FEWEST
                || Math.min(base.windows(), candidate.windows()) < FEWEST_WINDOWS
                || base.value() <= 0
                || candidate.value() <= 0) {
            return unsure(base.value(), candidate.value(), Verdict.TOO_FEW);
        }
        return bounded(base, candidate);
    }

    private static Change missing(Ratio base, long baseCount, Ratio candidate, long other) {
        Verdict verdict =
                Math.max(baseCount, other) < FEWEST
                        ? Verdict.TOO_FEW
                        : baseCount == 0 ? Verdict.ONLY_CANDIDATE : Verdict.ONLY_BASE;
        return unsure(base.value(), candidate.value(), verdict);
    }

    private static Change unsure(double base, double candidate, Verdict verdict) {
        boolean known = base > 0 && candidate > 0;
        return new Change(base, candidate, known, relative(base, candidate), false, 0, 0, verdict);
    }

    /// Welch's interval of the difference of logarithms.
    private static Change bounded(Ratio base, Ratio candidate) {
        double a = base.relativeVariance();
        double b = candidate.relativeVariance();
        double difference = Math.log(candidate.value() / base.value());
        double margin = 0;
        if (a + b > 0) {
            double freedom =
                    (a + b)
                            * (a + b)
                            / (a * a / (base.windows() - 1) + b * b / (candidate.windows() - 1));
            double quantile = TDistribution.of(freedom).inverseCumulativeProbability(TAIL);
            margin = quantile * Math.sqrt(a + b);
        }
        double low = Math.expm1(difference - margin);
        double high = Math.expm1(difference + margin);
        Verdict verdict = low > 0 ? Verdict.MORE : high < 0 ? Verdict.FEWER : Verdict.NO_CHANGE;
        return new Change(
                base.value(),
                candidate.value(),
                true,
                relative(base.value(), candidate.value()),
                true,
                low,
                high,
                verdict);
    }

    /// The same of times: who is more of them is longer.
    Change inTime() {
        Verdict said =
                switch (verdict) {
                    case MORE -> Verdict.LONGER;
                    case FEWER -> Verdict.SHORTER;
                    default -> verdict;
                };
        return new Change(base, candidate, known, change, bounded, low, high, said);
    }

    private static double relative(double base, double candidate) {
        return base == 0 ? 0 : candidate / base - 1;
    }
}
