package trapline.engine.exit;

/// How KVM's emulation of an MSR access ended, and what a read found.
public record MsrResult(Status status, long value) {

    /// KVM's return codes, in their order (FACTS 1.2 and 2.6).
    public enum Status {
        DONE,
        /// Value or access is not valid.
        INVALID,
        /// KVM does not know the MSR, or not for this guest.
        UNSUPPORTED,
        /// Userspace's filter denies it.
        FILTERED
    }

    public static final MsrResult WRITTEN = new MsrResult(Status.DONE, 0);
    public static final MsrResult INVALID = new MsrResult(Status.INVALID, 0);
    public static final MsrResult UNSUPPORTED = new MsrResult(Status.UNSUPPORTED, 0);
    public static final MsrResult FILTERED = new MsrResult(Status.FILTERED, 0);

    public static MsrResult read(long value) {
        return new MsrResult(Status.DONE, value);
    }

    static MsrResult readIf(boolean valid, long value) {
        return valid ? read(value) : INVALID;
    }

    static MsrResult writtenIf(boolean valid) {
        return valid ? WRITTEN : INVALID;
    }

    public boolean done() {
        return status == Status.DONE;
    }
}
