package trapline.replayer.times;

import java.util.Locale;

/// What exits and accesses are grouped by.
public enum Dimension {
    REASON("byReason", "EXIT REASON"),
    MSR("byMsr", "MSR HANDLED"),
    PORT("byPort", "PORT"),
    MMIO("byMmio", "MMIO PAGE"),
    CR("byCr", "CONTROL REGISTER"),
    VECTOR("byVector", "VECTOR"),
    HYPERCALL("byHypercall", "HYPERCALL"),
    USERSPACE("byUserspace", "USERSPACE EXIT"),
    RIP("byRip", "GUEST RIP"),
    VCPU("byVcpu", "VCPU");

    private final String key;
    private final String heading;

    Dimension(String key, String heading) {
        this.key = key;
        this.heading = heading;
    }

    /// As options spell it.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Its rows in JSON.
    public String key() {
        return key;
    }

    public String heading() {
        return heading;
    }

    /// Whether it groups exits, timed from the exit on; others group what has an event of its own, timed from there.
    boolean ofExits() {
        return this == REASON || this == RIP || this == VCPU;
    }
}
