package trapline.recorder.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.trace.TracepointText;
import trapline.recorder.trace.EventNames.Name;
import trapline.recorder.trace.TraceSummary.Malformed;

/// Makes facts of lines, and counts those that are none.
final class LineParser {

    private static final int SHOWN = 5;
    private static final int MOST_CPUS = 1 << 13;

    private final EventNames names = new EventNames();
    private final Prefix prefix = new Prefix(new Tasks());
    private final TracepointText texts = new TracepointText();
    private final MsrLogLine accesses = new MsrLogLine();
    private final Marker marker = new Marker();
    private final Name access = names.of("msr");
    private final Batches out;

    private long lines;
    private long malformed;
    private final List<Malformed> first = new ArrayList<>();
    private long gaps;
    private long lost;
    private final List<Early> early = new ArrayList<>();
    private TraceFormat format;
    private TraceFormat announced = TraceFormat.FTRACE;
    private boolean headed;
    private TraceClock clock;
    private final long[] times = new long[MOST_CPUS];
    private long time;
    private long untimed;
    private long otherClock;
    private long backwards;
    private long firstBackwards;
    private long overwritten;

    LineParser(Batches out) {
        this.out = out;
        Arrays.fill(times, Long.MIN_VALUE);
    }

    /// Takes a line without its end.
    void line(byte[] line, int from, int to) throws InterruptedException {
        lines++;
        if (to > from && line[to - 1] == '\r') {
            to--;
        }
        if (to == from || line[from] == '#') {
            comment(line, from, to);
        } else if (format == TraceFormat.MSR_LOG) {
            msr(line, from, to);
        } else if (prefix.read(line, from, to)) {
            event(line, prefix.end, to, from);
        } else {
            other(line, from, to);
        }
    }

    /// A line that should be one and is none.
    void malformed(byte[] line, int from, int to, String why) {
        malformed++;
        if (first.size() < SHOWN) {
            first.add(new Malformed(lines, why, Text.shortened(line, from, to)));
        }
    }

    /// A line that is longer than any event.
    void tooLong(byte[] line, int from, int to, int most) {
        lines++;
        malformed(
                line, from, to, "expected a line of at most %d bytes, found more".formatted(most));
    }

    /// A line whose end is missing.
    void cut(byte[] line, int from, int to, String why) {
        lines++;
        malformed(line, from, to, why);
    }

    private void comment(byte[] line, int from, int to) {
        if (to > from && marker.tracer(line, from, to)) {
            headed = true;
            announced = TraceFormat.FTRACE;
        }
        overwritten += marker.overwritten(line, from, to);
    }

    private void event(byte[] line, int at, int to, int from) throws InterruptedException {
        int end = nameEnd(line, at, to);
        if (end < to && line[end] == ' ' && isNumber(line, at, end)) {
            at = skip(line, end, to);
            end = nameEnd(line, at, to);
        }
        boolean subsystem =
                end + 1 < to && line[end] == ':' && line[end + 1] != ' ' && line[end + 1] != '\t';
        if (subsystem) {
            int second = nameEnd(line, end + 1, to);
            if (second < to && line[second] == ':') {
                at = end + 1;
                end = second;
            }
        }
        if (end < to && line[end] == ':') {
            named(line, names.of(line, at, end), subsystem, end + 1, to, from);
        } else if (marker.read(line, at, to)) {
            lost(marker.cpu >= 0 ? marker.cpu : prefix.cpu, marker.count);
        } else {
            unnamed(line, at, to, from);
        }
    }

    private void unnamed(byte[] line, int at, int to, int from) {
        if (prefix.timed && indexOf(line, at, to, " <-") >= 0) {
            names.of("(function)").skipped++;
        } else if (indexOf(line, at, to, "<stack trace>") == at) {
            names.of("(call chain)").skipped++;
        } else {
            malformed(
                    line,
                    from,
                    to,
                    "expected EVENT:, found '%s'".formatted(Text.shortened(line, at, to)));
        }
    }

    private void named(byte[] line, Name name, boolean subsystem, int at, int to, int from)
            throws InterruptedException {
        if (name.point == null) {
            name.skipped++;
            return;
        }
        int text = skip(line, at, to);
        TraceFields fields = texts.parse(name.point, line, text, to);
        if (fields == null) {
            malformed(line, from, to, texts.problem());
            return;
        }
        if (format == null) {
            open(
                    formatOf(subsystem, text - at),
                    prefix.counted ? TraceClock.COUNTS : TraceClock.NANOSECONDS);
        }
        if (!clock()) {
            otherClock++;
            malformed(
                    line,
                    from,
                    to,
                    clock == TraceClock.COUNTS
                            ? "expected a time in counts as before, found seconds"
                            : "expected a time in seconds as before, found a count");
            return;
        }
        if (!early.isEmpty()) {
            tellEarly();
        }
        name.parsed++;
        Tasks.Task task = prefix.task;
        Batch batch = out.current();
        if (task.isNew()) {
            batch.thread(task.thread, task.process(), task.name());
            batch = out.current();
        }
        batch.hit(prefix.cpu, task.thread, time, name.point, fields);
    }

    private TraceFormat formatOf(boolean subsystem, int blanks) {
        if (headed) {
            return announced;
        }
        if (prefix.apart || subsystem) {
            return TraceFormat.PERF;
        }
        return prefix.instance || blanks > 1 || !prefix.flags
                ? TraceFormat.TRACE_CMD
                : TraceFormat.FTRACE;
    }

    private void open(TraceFormat format, TraceClock clock) throws InterruptedException {
        this.format = format;
        this.clock = clock;
        out.current().opened(format, clock);
    }

    /// Takes the line's time; false if it is of another clock than the first one's.
    private boolean clock() {
        int cpu = Math.min(prefix.cpu, MOST_CPUS - 1);
        if (!prefix.timed) {
            untimed++;
            time = Math.max(0, times[cpu]);
            return true;
        }
        if (prefix.counted != (clock == TraceClock.COUNTS)) {
            return false;
        }
        time = prefix.time;
        if (time < times[cpu]) {
            firstBackwards = backwards == 0 ? lines : firstBackwards;
            backwards++;
        }
        times[cpu] = time;
        return true;
    }

    private void other(byte[] line, int from, int to) throws InterruptedException {
        if (marker.read(line, from, to)) {
            lost(marker.cpu, marker.count);
        } else if (format == null && accesses.recognizes(line, from, to)) {
            open(TraceFormat.MSR_LOG, TraceClock.NANOSECONDS);
            msr(line, from, to);
        } else if (marker.header(line, from, to)) {
            if (marker.traceCmd(line, from, to)) {
                headed = true;
                announced = TraceFormat.TRACE_CMD;
            }
        } else {
            String kind = marker.kind(line, from, to);
            if (kind != null) {
                names.of(kind).skipped++;
            } else {
                malformed(
                        line,
                        from,
                        to,
                        "expected TASK-PID [CPU] TIME: EVENT:, found '%s'"
                                .formatted(Text.shortened(line, from, Math.min(to, from + 40))));
            }
        }
    }

    private void lost(int cpu, long count) throws InterruptedException {
        gaps++;
        lost += count;
        if (format == null) {
            early.add(new Early(cpu, count));
            return;
        }
        long when = cpu < 0 ? time : times[Math.min(cpu, MOST_CPUS - 1)];
        out.current().lost(cpu, when == Long.MIN_VALUE ? time : when, count);
    }

    /// What was lost before the first event has that one's time.
    private void tellEarly() throws InterruptedException {
        for (Early each : early) {
            out.current().lost(each.cpu(), time, each.count());
        }
        early.clear();
    }

    private record Early(int cpu, long count) {}

    private void msr(byte[] line, int from, int to) throws InterruptedException {
        if (accesses.read(line, from, to)) {
            access.parsed++;
            out.current().msr(accesses.vcpu(), accesses.logged());
        } else {
            malformed(line, from, to, accesses.problem());
        }
    }

    private static int nameEnd(byte[] line, int from, int to) {
        int i = from;
        while (i < to && line[i] != ':' && line[i] != ' ') {
            i++;
        }
        return i;
    }

    private static boolean isNumber(byte[] line, int from, int to) {
        for (int i = from; i < to; i++) {
            if (line[i] < '0' || line[i] > '9') {
                return false;
            }
        }
        return to > from;
    }

    private static int skip(byte[] line, int from, int to) {
        int at = from;
        while (at < to && (line[at] == ' ' || line[at] == '\t')) {
            at++;
        }
        return at;
    }

    static int indexOf(byte[] line, int from, int to, String text) {
        for (int i = from; i + text.length() <= to; i++) {
            int k = 0;
            while (k < text.length() && line[i + k] == text.charAt(k)) {
                k++;
            }
            if (k == text.length()) {
                return i;
            }
        }
        return -1;
    }

    private static String counted(long count, String one, String many) {
        return count + " " + (count == 1 ? one : many);
    }

    /// What was read up to here; the format is null where nothing was.
    TraceSummary summary(List<String> more) {
        List<String> remarks = new ArrayList<>(more);
        if (overwritten > 0) {
            remarks.add(
                    counted(overwritten, "entry was", "entries were")
                            + " overwritten before the trace was read");
        }
        if (untimed > 0) {
            remarks.add(
                    counted(untimed, "event has", "events have")
                            + " no time, and got that of the one before");
        }
        if (otherClock > 0) {
            remarks.add(
                    counted(otherClock, "event counts", "events count")
                            + " time by another clock than the first: import that part alone");
        }
        if (backwards > 0) {
            remarks.add(
                    "time runs backwards on its CPU at %s, first at line %d"
                            .formatted(counted(backwards, "line", "lines"), firstBackwards));
        }
        return new TraceSummary(
                format,
                clock,
                lines,
                names.parsed(),
                names.skipped(),
                malformed,
                List.copyOf(first),
                gaps,
                lost,
                List.copyOf(remarks));
    }
}
