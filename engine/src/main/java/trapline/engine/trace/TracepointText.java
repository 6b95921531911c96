package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Reads the text of a tracepoint, what follows `event: ` in a trace, whichever tree printed it.
///
/// One for each thread: it reuses what it reads into.
public final class TracepointText {

    private static final int SHOWN = 40;

    private final Form[][] forms = new Form[Tracepoint.values().length][];
    private final Form[][] others = new Form[Tracepoint.values().length][];
    private final Keyed[] keyed = new Keyed[Tracepoint.values().length];
    private final Scan scan = new Scan();
    private String problem = "";

    public TracepointText() {
        for (Tracepoint point : Tracepoint.values()) {
            forms[point.ordinal()] = Forms.of(point).clone();
            others[point.ordinal()] = Forms.others(point).clone();
            keyed[point.ordinal()] = Keyed.of(point);
        }
    }

    /// The fields that the text tells of; null where it is no text of this tracepoint, which [#problem] then tells.
    ///
    /// @param text bytes of which `from` (inclusive) to `to` (exclusive) are read
    public TraceFields parse(Tracepoint point, byte[] text, int from, int to) {
        int end = to;
        while (end > from && (text[end - 1] == ' ' || text[end - 1] == '\r')) {
            end--;
        }
        scan.start(text, from, end);
        if (anyForm(forms[point.ordinal()], from)
                || anyForm(others[point.ordinal()], from)
                || byKeys(point, from)) {
            return scan.fields();
        }
        return null;
    }

    /// The form that fits comes first from then on: a trace is of one tree.
    private boolean anyForm(Form[] forms, int from) {
        for (int i = 0; i < forms.length; i++) {
            Form form = forms[i];
            if (form.read(scan)) {
                forms[i] = forms[0];
                forms[0] = form;
                return true;
            }
            scan.again(from);
        }
        return false;
    }

    private boolean byKeys(Tracepoint point, int from) {
        Keyed keys = keyed[point.ordinal()];
        if (keys != null) {
            if (keys.read(scan)) {
                return true;
            }
            problem = keys.problem();
            return false;
        }
        int at = Math.min(scan.farthest, scan.end);
        problem =
                at >= scan.end
                        ? "expected more, found the end"
                        : "expected another text, found '%s'"
                                .formatted(scan.string(at, Math.min(scan.end, at + SHOWN)));
        scan.again(from);
        return false;
    }

    /// What the last text that was none had, and what was expected.
    public String problem() {
        return problem;
    }
}
