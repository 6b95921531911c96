package trapline.recorder;

import java.util.random.RandomGenerator;

/// Names of sessions: ten letters and digits that sort by time and are easy to type.
public final class SessionIds {

    private static final String ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
    private static final long EPOCH_SECONDS = 1_735_689_600L;

    private SessionIds() {}

    /// Six symbols for the second, four that are random.
    public static String next(long nowMillis, RandomGenerator random) {
        long seconds = nowMillis / 1000 - EPOCH_SECONDS;
        long number = (seconds << 20) | random.nextInt(1 << 20);
        StringBuilder name = new StringBuilder();
        for (int shift = 45; shift >= 0; shift -= 5) {
            name.append(ALPHABET.charAt((int) (number >>> shift & 31)));
        }
        return name.toString();
    }
}
