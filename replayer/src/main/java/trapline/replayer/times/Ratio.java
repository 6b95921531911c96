package trapline.replayer.times;

/// A ratio of two sums over windows, and how sure it is if the windows are independent of one another.
///
/// The textbook's ratio estimate of a cluster sample: what each window is off the common ratio gives the variance.
///
/// @param variance of the estimate
/// @param windows those with a denominator
record Ratio(double value, double variance, int windows) {

    static Ratio of(double[] numerators, double[] denominators) {
        double numerator = 0;
        double denominator = 0;
        int windows = 0;
        for (int i = 0; i < denominators.length; i++) {
            numerator += numerators[i];
            denominator += denominators[i];
            windows += denominators[i] > 0 ? 1 : 0;
        }
        if (windows < 2) {
            return new Ratio(denominator > 0 ? numerator / denominator : 0, 0, windows);
        }
        double value = numerator / denominator;
        double squares = 0;
        for (int i = 0; i < denominators.length; i++) {
            double off = numerators[i] - value * denominators[i];
            squares += off * off;
        }
        double variance = squares * windows / (windows - 1.0) / (denominator * denominator);
        return new Ratio(value, variance, windows);
    }

    /// The variance relative to the estimate's square.
    double relativeVariance() {
        return variance / (value * value);
    }
}
