package trapline.recorder.trace;

/// Lines that are no events but say something of the trace: headings, and that events were lost.
final class Marker {

    private static final int MOST_LENGTH = 300;

    /// Of the last marker: -1 where it does not tell.
    int cpu;

    /// Of the last marker: 0 where it does not tell.
    long count;

    /// Whether a line says that events were lost.
    ///
    /// ftrace: `CPU:3 [LOST 12 EVENTS]`; trace-cmd: `CPU:3 [12 EVENTS DROPPED]`; perf: `PERF_RECORD_LOST lost 12`,
    /// `LOST 12 events!`, `Processed 40 events and lost 12 chunks!`.
    boolean read(byte[] line, int from, int to) {
        if (to - from > MOST_LENGTH) {
            return false;
        }
        cpu = -1;
        count = 0;
        int bracket = LineParser.indexOf(line, from, to, "[");
        if (bracket >= 0 && bracketed(line, bracket + 1, to)) {
            if (starts(line, from, to, "CPU:") || starts(line, from, to, "CPU ")) {
                cpu = (int) numberAt(line, from + "CPU:".length(), bracket);
            }
            return true;
        }
        return perf(line, from, to);
    }

    private boolean bracketed(byte[] line, int from, int to) {
        int close = LineParser.indexOf(line, from, to, "]");
        if (close < 0 || LineParser.indexOf(line, from, close, "EVENTS") < 0) {
            return false;
        }
        if (!starts(line, from, close, "LOST ")
                && LineParser.indexOf(line, from, close, "DROPPED") < 0) {
            return false;
        }
        count = firstNumber(line, from, close);
        return true;
    }

    private boolean perf(byte[] line, int from, int to) {
        int lost = LineParser.indexOf(line, from, to, "PERF_RECORD_LOST");
        if (lost < 0 && starts(line, from, to, "LOST ")) {
            lost = from;
        }
        if (lost < 0 && starts(line, from, to, "Processed ")) {
            lost = LineParser.indexOf(line, from, to, " lost ");
        }
        if (lost < 0) {
            return false;
        }
        count = firstNumber(line, lost, to);
        return true;
    }

    private static long firstNumber(byte[] line, int from, int to) {
        for (int i = from; i < to; i++) {
            if (line[i] >= '0' && line[i] <= '9') {
                return Math.max(0, numberAt(line, i, to));
            }
        }
        return 0;
    }

    private static long numberAt(byte[] line, int from, int to) {
        long value = -1;
        for (int i = from; i < to && line[i] >= '0' && line[i] <= '9' && i - from < 18; i++) {
            value = Math.max(0, value) * 10 + line[i] - '0';
        }
        return value;
    }

    private static boolean starts(byte[] line, int from, int to, String text) {
        return LineParser.indexOf(line, from, Math.min(to, from + text.length()), text) == from;
    }

    /// Whether a comment is ftrace's first.
    boolean tracer(byte[] line, int from, int to) {
        return starts(line, from, to, "# tracer:");
    }

    /// How many entries `# entries-in-buffer/entries-written: IN/WRITTEN` says are gone.
    long overwritten(byte[] line, int from, int to) {
        String heading = "# entries-in-buffer/entries-written: ";
        if (!starts(line, from, to, heading)) {
            return 0;
        }
        int slash = LineParser.indexOf(line, from + heading.length(), to, "/");
        long kept = numberAt(line, from + heading.length(), to);
        long written = slash < 0 ? -1 : numberAt(line, slash + 1, to);
        return kept < 0 || written < 0 ? 0 : Math.max(0, written - kept);
    }

    /// Whether a line is a tool's heading.
    boolean header(byte[] line, int from, int to) {
        return traceCmd(line, from, to)
                || (starts(line, from, to, "CPU ")
                        && LineParser.indexOf(line, from, to, "is empty") > 0);
    }

    boolean traceCmd(byte[] line, int from, int to) {
        return starts(line, from, to, "cpus=") || starts(line, from, to, "version = ");
    }

    /// What a line is that belongs to an event before it or to another tracer; null where nobody knows.
    String kind(byte[] line, int from, int to) {
        int at = from;
        while (at < to && (line[at] == ' ' || line[at] == '\t')) {
            at++;
        }
        if (at == to) {
            return "(blank)";
        }
        if (starts(line, at, to, "=> ") || (at > from && isAddress(line, at, to))) {
            return "(call chain)";
        }
        int digits = at;
        while (digits < to && line[digits] >= '0' && line[digits] <= '9') {
            digits++;
        }
        return digits > at && starts(line, digits, to, ")") ? "(function graph)" : null;
    }

    /// Whether eight hexadecimal digits or more and a blank begin here.
    private static boolean isAddress(byte[] line, int at, int to) {
        int end = at;
        while (end < to && Character.digit(line[end], 16) >= 0) {
            end++;
        }
        return end - at >= 8 && end < to && line[end] == ' ';
    }
}
