package trapline.engine.trace;

import trapline.engine.event.TraceFields;

/// A piece of a form: reads itself from a text, and prints itself.
interface Part {

    /// Whether the text goes on with this piece; the scan is then behind it.
    boolean read(Scan scan);

    void print(TraceFields fields, TraceTree tree, StringBuilder out);

    /// A bit for each field without which it cannot be printed.
    default int needs() {
        return 0;
    }

    /// A bit for each field that it prints.
    default int tells() {
        return needs();
    }
}
