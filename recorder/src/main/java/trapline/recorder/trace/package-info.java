/// Reads what tracers print: ftrace, trace-cmd, perf, and logs of MSR accesses.
package trapline.recorder.trace;
