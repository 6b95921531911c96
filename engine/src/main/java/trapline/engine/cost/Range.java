package trapline.engine.cost;

/// A number of cycles as far as it is known.
public record Range(double low, double typical, double high) {

    public static final Range ZERO = new Range(0, 0, 0);

    public Range plus(Range other) {
        return new Range(low + other.low, typical + other.typical, high + other.high);
    }

    /// The cost of doing it `count` times; what is saved by doing it less often is below 0.
    public Range times(long count) {
        double one = low * count;
        double other = high * count;
        return new Range(Math.min(one, other), typical * count, Math.max(one, other));
    }

    /// The typical number alone, as if it were certain.
    public Range certain() {
        return new Range(typical, typical, typical);
    }
}
