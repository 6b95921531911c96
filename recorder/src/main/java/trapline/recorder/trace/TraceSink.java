package trapline.recorder.trace;

import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Takes what a trace tells, in its order, in the thread that reads it.
public interface TraceSink {

    /// Comes once, before all else.
    void opened(TraceFormat format, TraceClock clock);

    /// A thread of which a hit follows, or which has another name or process from here on.
    ///
    /// @param process 0 where the trace does not tell
    void thread(int thread, int process, String name);

    /// @param cpu -1 where the trace does not tell
    /// @param time of the line before where the trace does not tell
    void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields);

    /// A line of a log of accesses; such a log has no CPU and no thread.
    void msr(int vcpu, MsrLogged logged);

    /// The tracer lost events here.
    ///
    /// @param cpu -1 where it does not tell
    /// @param time of the line before on that CPU
    /// @param count 0 where it does not tell
    void lost(int cpu, long time, long count);

    /// Comes some ten times a second while a trace is followed: it may be long until more comes.
    default void pause() {}
}
