package trapline.recorder.trace;

/// What wrote a trace.
public enum TraceFormat {
    FTRACE("ftrace"),
    TRACE_CMD("trace-cmd report"),
    PERF("perf script"),
    MSR_LOG("msrlog");

    private final String text;

    TraceFormat(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }
}
