package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Prints what a tracepoint told as the kernel does: the reverse of [TracepointText].
public final class TracepointPrinter {

    private TracepointPrinter() {}

    /// In the form that shows most of these fields and needs no other, the latest if there are several.
    public static String print(Tracepoint point, TraceFields fields) {
        Form best = null;
        for (Form form : Forms.of(point)) {
            if (form.prints(fields) && (best == null || better(form, best, fields))) {
                best = form;
            }
        }
        Keyed keyed = Keyed.of(point);
        if (keyed != null && (best == null || best.shows(fields) < fields.size())) {
            return keyed.print(fields, TraceTree.V7_1);
        }
        return best(point, fields, best).print(fields, TraceTree.V7_1);
    }

    /// As this tree prints it, if the fields suffice for that; else as in [#print(Tracepoint, TraceFields)].
    public static String print(Tracepoint point, TraceFields fields, TraceTree tree) {
        Form form = Forms.of(point, tree);
        return form != null && form.prints(fields)
                ? form.print(fields, tree)
                : print(point, fields);
    }

    private static boolean better(Form form, Form other, TraceFields fields) {
        int more = form.shows(fields) - other.shows(fields);
        return more > 0 || (more == 0 && form.since.compareTo(other.since) > 0);
    }

    private static Form best(Tracepoint point, TraceFields fields, Form found) {
        if (found != null) {
            return found;
        }
        for (Form form : Forms.others(point)) {
            if (form.prints(fields)) {
                return form;
            }
        }
        throw new IllegalArgumentException(
                "no kernel prints %s with only %s".formatted(point.text(), fields));
    }
}
