package trapline.engine.cost;

/// A number of cycles as far as it is known.
public record Range(double low, double typical, double high) {

    public static final Range ZERO = new Range(0, 0, 0);

    public Range plus(Range other) {
        return new Range(low + other.low, typical + other.typical, high + other.high);
    }

    /// The cost of doing it `count` times.
    public Range times(long count) {
        return new Range(low * count, typical * count, high * count);
    }
}
