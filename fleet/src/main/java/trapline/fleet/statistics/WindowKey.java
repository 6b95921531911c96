package trapline.fleet.statistics;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;

/// Names one window: the key of its records, `session|vcpu|begin|size`.
///
/// @param begin in milliseconds since 1970
/// @param size in milliseconds
record WindowKey(String session, int vcpu, long begin, long size) {

    static final long SECOND = 1_000;
    static final long MINUTE = 60_000;
    static final List<Long> SIZES = List.of(SECOND, MINUTE);

    private static final String BETWEEN = "|";

    /// The window of that size in which a moment lies.
    static WindowKey at(String session, int vcpu, long millis, long size) {
        return new WindowKey(session, vcpu, millis - millis % size, size);
    }

    static WindowKey parse(Bytes bytes) {
        String text = new String(bytes.get(), StandardCharsets.UTF_8);
        int size = text.lastIndexOf(BETWEEN);
        int begin = text.lastIndexOf(BETWEEN, size - 1);
        int vcpu = text.lastIndexOf(BETWEEN, begin - 1);
        return new WindowKey(
                text.substring(0, vcpu),
                Integer.parseInt(text.substring(vcpu + 1, begin)),
                Long.parseLong(text.substring(begin + 1, size)),
                Long.parseLong(text.substring(size + 1)));
    }

    Bytes bytes() {
        return bytes(session + BETWEEN + vcpu + BETWEEN + begin + BETWEEN + size);
    }

    /// Before all windows of a session, in the order of bytes.
    static Bytes first(String session) {
        return bytes(session + BETWEEN);
    }

    /// Behind all of them.
    static Bytes last(String session) {
        return bytes(session + (char) (BETWEEN.charAt(0) + 1));
    }

    private static Bytes bytes(String text) {
        return Bytes.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
