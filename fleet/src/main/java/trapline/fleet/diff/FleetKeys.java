package trapline.fleet.diff;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Bytes;

/// How the records of runs are named: `run` alone, or `run|session`.
final class FleetKeys {

    private static final char BETWEEN = '|';

    private FleetKeys() {}

    static String of(String run, String session) {
        return run + BETWEEN + session;
    }

    static boolean isTask(String key) {
        return key.indexOf(BETWEEN) >= 0;
    }

    /// Of a task's key.
    static String run(String key) {
        return key.substring(0, key.indexOf(BETWEEN));
    }

    /// Of a task's key.
    static String session(String key) {
        return key.substring(key.indexOf(BETWEEN) + 1);
    }

    static Bytes bytes(String key) {
        return Bytes.wrap(key.getBytes(StandardCharsets.UTF_8));
    }

    static String text(byte[] key) {
        return new String(key, StandardCharsets.UTF_8);
    }
}
