package trapline.engine.event;

/// Why KVM_RUN returns to userspace over an MSR: KVM_MSR_EXIT_REASON_…, each of which userspace asks for by a bit.
public enum MsrExitReason {
    INVAL,
    UNKNOWN,
    FILTER;

    public int bit() {
        return 1 << ordinal();
    }
}
