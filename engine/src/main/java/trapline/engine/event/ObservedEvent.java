package trapline.engine.event;

/// What a tracer saw on a real host: no model made it, and none folds it into state.
///
/// Times are the trace clock's own, in nanoseconds or in counts as [TraceOpened] says. The stamp's pCPU is the host's
/// CPU; its tick and op are 0; its cause is the exit that the vCPU was handling, if the trace shows one.
public sealed interface ObservedEvent extends Event {

    /// A trace begins.
    ///
    /// @param file as its user named it
    /// @param format what wrote it
    record TraceOpened(String file, String format, TraceClock clock) implements ObservedEvent {}

    /// A thread of the host appears, or has another name from here on.
    ///
    /// @param process 0 where the trace does not tell
    record ThreadSeen(int thread, int process, String command) implements ObservedEvent {}

    record TracepointHit(long time, int thread, Tracepoint point, TraceFields fields)
            implements ObservedEvent {}

    /// The guest executed RDMSR or WRMSR, whatever a hypervisor made of it.
    ///
    /// @param symbol where that is and who called it; empty where unknown
    record MsrLogged(long time, boolean write, int msr, long value, long rip, String symbol)
            implements ObservedEvent {}

    /// The tracer lost events of the stamp's pCPU.
    ///
    /// @param count 0 where it does not tell
    record EventsLost(long time, long count) implements ObservedEvent {}

    /// What a trace counts time in.
    enum TraceClock {
        NANOSECONDS,
        COUNTS
    }
}
