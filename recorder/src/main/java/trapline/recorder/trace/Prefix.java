package trapline.recorder.trace;

import java.util.Arrays;

/// What stands before an event in a line: the task, its CPU, flags and the time.
///
/// `TASK-PID (TGID) [CPU] FLAGS TIME:` as ftrace and trace-cmd print it, `TASK TID [CPU] TIME:` or `TASK PID/TID [CPU]
/// TIME:` as perf does, `TASK-PID CPUFLAGS TIME:` in latency formats, where ftrace's times are microseconds since its
/// beginning. A task's name may have blanks, hyphens and brackets.
final class Prefix {

    private static final long NANOS = 1_000_000_000;
    private static final int LEAST_FLAGS = 4;
    private static final int KNOWN = 8;

    private final Tasks tasks;

    Tasks.Task task;
    int cpu;

    /// Whether the thread stands apart from its name, as in perf.
    boolean apart;

    /// Whether a name of a trace-cmd instance was before the task.
    boolean instance;

    boolean flags;
    boolean timed;
    boolean counted;
    long time;

    /// Where the event begins.
    int end;

    private final Beginning[] known = new Beginning[KNOWN];
    private long renamed;
    private int thread;
    private int process;
    private int nameEnd;

    Prefix(Tasks tasks) {
        this.tasks = tasks;
    }

    /// Reads a line from here to there; false where it begins otherwise.
    boolean read(byte[] line, int from, int to) {
        return (known(line, from, to) || cpu(line, from, to)) && time(line, to);
    }

    /// Whether the line begins like one of the last ones, which most lines do.
    private boolean known(byte[] line, int from, int to) {
        for (int i = 0; i < KNOWN; i++) {
            Beginning one = known[i];
            if (one == null) {
                return false;
            }
            if (to - from > one.bytes.length && Words.equal(one.bytes, line, from)) {
                known[i] = known[0];
                known[0] = one;
                task = one.task;
                cpu = one.cpu;
                apart = one.apart;
                instance = one.instance;
                end = from + one.bytes.length;
                return true;
            }
        }
        return false;
    }

    private void remember(byte[] line, int from, int to) {
        if (tasks.renamed() != renamed) {
            renamed = tasks.renamed();
            Arrays.fill(known, null);
        }
        if (to - from >= Long.BYTES) {
            System.arraycopy(known, 0, known, 1, KNOWN - 1);
            known[0] =
                    new Beginning(Arrays.copyOfRange(line, from, to), task, cpu, apart, instance);
        }
    }

    /// A line's beginning up to its CPU, and what it says.
    private record Beginning(
            byte[] bytes, Tasks.Task task, int cpu, boolean apart, boolean instance) {}

    /// Finds the CPU in its brackets and the task before it.
    private boolean cpu(byte[] line, int from, int to) {
        for (int i = from + 1; i < to; i++) {
            if (line[i] == '[' && (line[i - 1] == ' ' || line[i - 1] == ')')) {
                int close = number(line, i + 1, to);
                if (close > 0
                        && close < to - 1
                        && line[close] == ']'
                        && line[close + 1] == ' '
                        && task(line, from, i)) {
                    cpu = (int) Math.min(Integer.MAX_VALUE, read);
                    name(line, from);
                    remember(line, from, close + 2);
                    end = close + 2;
                    return true;
                }
            }
        }
        return latency(line, from, to);
    }

    /// `TASK-PID CPUFLAGS TIME:`, the CPU's digits and the flags in one word, as in latency formats.
    private boolean latency(byte[] line, int from, int to) {
        for (int i = from + 2; i < to - 2; i++) {
            if (line[i] == ' '
                    && isDigit(line[i - 1])
                    && isFlagged(line, i, to)
                    && task(line, from, i)) {
                if (apart) {
                    return false;
                }
                number(line, skip(line, i, to), to);
                cpu = (int) Math.min(Integer.MAX_VALUE, read);
                name(line, from);
                end = flagsBegin;
                return true;
            }
        }
        return false;
    }

    private int flagsBegin;

    /// Whether a CPU's number comes here with four flags or more behind it, and then a blank.
    private boolean isFlagged(byte[] line, int from, int to) {
        int at = skip(line, from, to);
        int digits = at;
        while (at < to && isDigit(line[at])) {
            at++;
        }
        flagsBegin = at;
        while (at < to && line[at] != ' ' && line[at] != ':') {
            at++;
        }
        return flagsBegin > digits
                && !isDigit(line[flagsBegin])
                && at - flagsBegin >= LEAST_FLAGS
                && at < to
                && line[at] == ' ';
    }

    private long read;

    /// Reads digits into `read`; where they end, or -1 where there are none.
    private int number(byte[] line, int from, int to) {
        int i = from;
        long value = 0;
        while (i < to && line[i] >= '0' && line[i] <= '9' && i - from < 19) {
            value = value * 10 + line[i] - '0';
            i++;
        }
        long number = value;
        if (i > from) {
            read = number;
            return i;
        }
        return -1;
    }

    /// Reads the thread before the CPU's bracket.
    private boolean task(byte[] line, int from, int bracket) {
        long cpuRead = read;
        int at = blanks(line, from, bracket);
        process = 0;
        if (at > from && line[at - 1] == ')') {
            int open = at - 1;
            while (open > from && line[open] != '(') {
                open--;
            }
            process = group(line, open + 1, at - 1);
            at = blanks(line, from, open);
        }
        int digits = digits(line, from, at);
        boolean found =
                digits < at && number(line, digits, at) == at && threadOf(line, from, digits);
        read = cpuRead;
        return found;
    }

    private boolean threadOf(byte[] line, int from, int digits) {
        thread = (int) read;
        if (digits <= from || thread != read) {
            return false;
        }
        byte sign = line[digits - 1];
        apart = sign == ' ';
        nameEnd = digits - 1;
        if (sign == '/') {
            int owner = digits(line, from, digits - 1);
            if (owner == digits - 1 || owner <= from || line[owner - 1] != ' ') {
                return false;
            }
            number(line, owner, digits - 1);
            process = (int) read;
            apart = true;
            nameEnd = owner;
        }
        return sign == '-' || apart;
    }

    private int group(byte[] line, int from, int to) {
        int at = from;
        while (at < to && line[at] == ' ') {
            at++;
        }
        return number(line, at, to) > 0 ? (int) read : 0;
    }

    private static int blanks(byte[] line, int from, int at) {
        int i = at;
        while (i > from && line[i - 1] == ' ') {
            i--;
        }
        return i;
    }

    private static int digits(byte[] line, int from, int at) {
        int i = at;
        while (i > from && line[i - 1] >= '0' && line[i - 1] <= '9') {
            i--;
        }
        return i;
    }

    private void name(byte[] line, int from) {
        int start = from;
        int stop = blanks(line, from, nameEnd);
        while (start < stop && line[start] == ' ') {
            start++;
        }
        instance = false;
        if (!apart) {
            for (int i = start; i + 1 < stop && line[i] != ' '; i++) {
                if (line[i] == ':' && line[i + 1] == ' ') {
                    instance = true;
                    start = i + 2;
                    while (start < stop && line[start] == ' ') {
                        start++;
                    }
                    break;
                }
            }
        }
        task = tasks.of(thread, process, line, start, stop);
    }

    /// Reads flags and time behind the CPU, of which either may be missing.
    private boolean time(byte[] line, int to) {
        int at = skip(line, end, to);
        flags = false;
        timed = false;
        if (at < to && !isDigit(line[at])) {
            int word = at;
            while (word < to && line[word] != ' ' && line[word] != ':') {
                word++;
            }
            if (word < to && line[word] == ' ') {
                flags = true;
                at = skip(line, word, to);
            }
        }
        if (at < to && isDigit(line[at])) {
            int stop = stamp(line, at, to);
            if (stop < 0) {
                return false;
            }
            timed = true;
            at = skip(line, stop + 1, to);
        }
        end = at;
        return at < to;
    }

    /// Reads seconds with a fraction, or a count; where its colon is, or -1.
    private int stamp(byte[] line, int from, int to) {
        int point = number(line, from, to);
        long whole = read;
        counted = point < to && line[point] != '.';
        if (counted && point + 3 < to && line[point] == 'u' && line[point + 1] == 's') {
            counted = false;
            time = whole * 1000;
            return line[point + 3] == ':' ? point + 3 : line[point + 2] == ':' ? point + 2 : -1;
        }
        if (counted) {
            time = whole;
            return point < to && line[point] == ':' ? point : -1;
        }
        int stop = number(line, point + 1, to);
        int digits = stop - point - 1;
        if (stop < 0 || digits > 9 || stop >= to || line[stop] != ':' || whole > NANOS * 9) {
            return -1;
        }
        long fraction = read;
        for (int i = digits; i < 9; i++) {
            fraction *= 10;
        }
        time = whole * NANOS + fraction;
        return stop;
    }

    private static int skip(byte[] line, int from, int to) {
        int at = from;
        while (at < to && line[at] == ' ') {
            at++;
        }
        return at;
    }

    private static boolean isDigit(byte c) {
        return c >= '0' && c <= '9';
    }
}
