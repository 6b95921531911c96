package trapline.recorder;

/// A session as it was recorded.
///
/// @param closed whether the guest came to its end
public record Recorded(String session, long events, long guestOps, int vcpus, boolean closed) {}
