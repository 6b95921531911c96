package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.MachineState;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.trace.TracepointPrinter;
import trapline.replayer.Session;

/// The text that ftrace prints, which `import` reads again.
///
/// Of an imported trace, what it had. Of a session of the model, what KVM would have printed: an event a
/// microsecond, threads from 1001 on of process 1000.
final class FtraceExporter implements Exporter {

    private static final String HEADER =
            """
            # tracer: nop
            #
            #           TASK-PID     (TGID)   CPU#  |||||  TIMESTAMP  FUNCTION
            """;

    private static final int PROCESS = 1000;
    private static final long NANOS = 1000;
    private static final int MOST_THREADS = 100_000;

    private final Map<Integer, ThreadSeen> threads = new HashMap<>();
    private boolean counts;
    private long lines;

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        Writer text = new OutputStreamWriter(out, StandardCharsets.UTF_8);
        text.write(HEADER);
        if (what.session().imported()) {
            what.all((envelope, wanted) -> observed(envelope, wanted, text));
        } else {
            model(what, text);
        }
        text.flush();
        return lines;
    }

    private void observed(Envelope envelope, boolean wanted, Writer text) throws IOException {
        switch ((ObservedEvent) envelope.event()) {
            case TraceOpened opened -> counts = opened.clock() == TraceClock.COUNTS;
            case ThreadSeen seen -> {
                if (threads.size() < MOST_THREADS || threads.containsKey(seen.thread())) {
                    threads.put(seen.thread(), seen);
                }
            }
            case TracepointHit hit -> {
                if (wanted) {
                    ThreadSeen thread =
                            threads.getOrDefault(
                                    hit.thread(), new ThreadSeen(hit.thread(), 0, "<...>"));
                    String told = TracepointPrinter.print(hit.point(), hit.fields());
                    line(thread, envelope.stamp().pcpu(), hit.time(), hit.point(), told, text);
                }
            }
            case EventsLost lost -> {
                if (wanted) {
                    lost(envelope.stamp().pcpu(), lost.count(), text);
                }
            }
            case MsrLogged _ -> {
                if (wanted) {
                    throw new InputException(
                            Kind.NOT_APPLICABLE,
                            "event " + envelope.stamp().order(),
                            "what a guest executed is no tracepoint; expected a trace of a host, or"
                                    + " --type TracepointHit");
                }
            }
        }
    }

    private void model(Export what, Writer text) throws IOException {
        Session session = what.session();
        MachineState machine = new MachineState(session.config());
        ModelTracepoints tracepoints = new ModelTracepoints(session.vendor(), machine);
        var tree = ModelTracepoints.tree(session.header().policy());
        what.all((envelope, wanted) -> {
            machine.apply(envelope);
            int vcpu = envelope.stamp().vcpu();
            ThreadSeen thread = new ThreadSeen(PROCESS + 1 + vcpu, PROCESS, "CPU " + vcpu + "/KVM");
            for (ModelTracepoints.Hit hit : tracepoints.of(envelope)) {
                if (wanted) {
                    TraceFields fields = hit.fields();
                    line(
                            thread,
                            envelope.stamp().pcpu(),
                            envelope.stamp().order() * NANOS,
                            hit.point(),
                            TracepointPrinter.print(hit.point(), fields, tree),
                            text);
                }
            }
        });
    }

    private void line(
            ThreadSeen thread, int cpu, long time, Tracepoint point, String told, Writer text)
            throws IOException {
        lines++;
        text.write(
                String.format(
                        Locale.ROOT,
                        "%16s-%-7d %s[%03d] ..... %s: %s: %s\n",
                        thread.command(),
                        thread.thread(),
                        process(thread),
                        cpu,
                        time(time),
                        point.text(),
                        told));
    }

    private static String process(ThreadSeen thread) {
        return thread.process() == 0 ? "" : String.format(Locale.ROOT, "(%7d) ", thread.process());
    }

    /// To the microsecond, as ftrace prints it, or finer where the trace was.
    private String time(long time) {
        if (counts) {
            return Long.toString(time);
        }
        long second = 1_000_000_000;
        long rest = time % second;
        return rest % 1000 == 0
                ? String.format(Locale.ROOT, "%5d.%06d", time / second, rest / 1000)
                : String.format(Locale.ROOT, "%5d.%09d", time / second, rest);
    }

    private static void lost(int cpu, long count, Writer text) throws IOException {
        text.write(
                count == 0
                        ? String.format(Locale.ROOT, "CPU:%d [LOST EVENTS]\n", cpu)
                        : String.format(Locale.ROOT, "CPU:%d [LOST %d EVENTS]\n", cpu, count));
    }
}
