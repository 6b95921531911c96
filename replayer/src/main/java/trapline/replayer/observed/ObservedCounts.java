package trapline.replayer.observed;

import java.util.Collections;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/// How much of a trace became steps, and what did not.
public final class ObservedCounts {

    private final SortedMap<String, Long> exits = new TreeMap<>();
    private final SortedMap<String, Long> notModelled = new TreeMap<>();
    private final SortedMap<String, Long> notTold = new TreeMap<>();
    private final SortedMap<String, Long> nested = new TreeMap<>();
    private final SortedMap<String, Long> leftOut = new TreeMap<>();
    private final SortedMap<String, Long> userspaceExits = new TreeMap<>();
    private long accesses;
    private long logged;
    private long gaps;

    /// Every `kvm_exit`, by reason.
    public SortedMap<String, Long> exits() {
        return Collections.unmodifiableSortedMap(exits);
    }

    /// Exits that no op of the model stands for.
    public SortedMap<String, Long> notModelled() {
        return Collections.unmodifiableSortedMap(notModelled);
    }

    /// Exits whose op cannot be told without events that the trace does not have.
    public SortedMap<String, Long> notTold() {
        return Collections.unmodifiableSortedMap(notTold);
    }

    /// Exits of a guest's own guest.
    public SortedMap<String, Long> nested() {
        return Collections.unmodifiableSortedMap(nested);
    }

    /// What else became no step: interrupts at other exits, further parts of one op, MSRs that nothing names.
    public SortedMap<String, Long> leftOut() {
        return Collections.unmodifiableSortedMap(leftOut);
    }

    /// Every `kvm_userspace_exit`, by reason.
    public SortedMap<String, Long> userspaceExits() {
        return Collections.unmodifiableSortedMap(userspaceExits);
    }

    /// How many `kvm_msr` there are.
    public long msrAccesses() {
        return accesses;
    }

    /// How often the tracer lost events.
    public long gaps() {
        return gaps;
    }

    /// How many accesses an MSR log has.
    public long logged() {
        return logged;
    }

    /// Whether what passes through leaves no trace: it is one of exits, not of the guest's accesses.
    public boolean exitsAlone() {
        return logged == 0;
    }

    /// What of the trace is in no step, in one line; empty where all is.
    public String left() {
        StringBuilder text = new StringBuilder();
        append(text, "not modelled", notModelled);
        append(text, "not told by the trace", notTold);
        append(text, "nested", nested);
        append(text, "other events left out", leftOut);
        appendGaps(text, gaps);
        return text.isEmpty() ? "" : text.substring("; ".length());
    }

    /// `; 3 WHAT: NAME 2, OTHER 1`
    static void append(StringBuilder text, String what, SortedMap<String, Long> counts) {
        if (!counts.isEmpty()) {
            text.append("; %s %s: ".formatted(number(sum(counts)), what));
            text.append(
                    String.join(
                            ", ",
                            counts.entrySet().stream()
                                    .map(row -> row.getKey() + " " + number(row.getValue()))
                                    .toList()));
        }
    }

    static void appendGaps(StringBuilder text, long gaps) {
        if (gaps > 0) {
            text.append("; the tracer lost events %s".formatted(times(gaps)));
        }
    }

    private static String times(long count) {
        return count == 1 ? "once" : number(count) + " times";
    }

    static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    static long sum(SortedMap<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    void exit(String name) {
        exits.merge(name, 1L, Long::sum);
    }

    void notModelled(String name) {
        notModelled.merge(name, 1L, Long::sum);
    }

    void leaveOut(String name) {
        leftOut.merge(name, 1L, Long::sum);
    }

    void notTold(String name) {
        notTold.merge(name, 1L, Long::sum);
    }

    void nested(String name) {
        nested.merge(name, 1L, Long::sum);
    }

    void userspaceExit(String name) {
        userspaceExits.merge(name, 1L, Long::sum);
    }

    void access() {
        accesses++;
    }

    void gap() {
        gaps++;
    }

    void addLogged() {
        logged++;
    }
}
