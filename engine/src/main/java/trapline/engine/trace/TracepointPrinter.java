package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Prints what a tracepoint told as the kernel does: the reverse of [TracepointText].
public final class TracepointPrinter {

    private TracepointPrinter() {}

    /// In the form of the first tree that prints all these fields and needs no other.
    public static String print(Tracepoint point, TraceFields fields) {
        return print(point, fields, TraceTree.V5_4);
    }

    /// In the form of this tree if the fields suffice for it, else of the tree next to it for which they do.
    public static String print(Tracepoint point, TraceFields fields, TraceTree tree) {
        return "";
    }
}
