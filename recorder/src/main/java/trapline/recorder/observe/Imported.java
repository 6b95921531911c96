package trapline.recorder.observe;

/// A session as it was imported.
///
/// @param gaps how often events were lost
/// @param closed whether the trace came to its end
public record Imported(String session, long events, long gaps, int vcpus, boolean closed) {}
