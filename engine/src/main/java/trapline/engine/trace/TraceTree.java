package trapline.engine.trace;

import java.util.Optional;
import java.util.stream.Stream;

/// The kernels whose texts of tracepoints are known, the oldest first.
public enum TraceTree {
    V5_4("5.4"),
    V5_15("5.15"),
    V6_1("6.1"),
    V6_6("6.6"),
    V6_12("6.12"),
    V6_18("6.18"),
    V7_1("7.1");

    private final String version;

    TraceTree(String version) {
        this.version = version;
    }

    /// As in the name of its base policy, without `kvm-`.
    public String version() {
        return version;
    }

    /// By its version or the name of its base policy.
    public static Optional<TraceTree> named(String name) {
        String version = name.startsWith("kvm-") ? name.substring("kvm-".length()) : name;
        return Stream.of(values()).filter(tree -> tree.version.equals(version)).findFirst();
    }
}
