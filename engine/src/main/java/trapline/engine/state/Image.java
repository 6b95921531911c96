package trapline.engine.state;

import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// One VMCS or VMCB: every field of its layout. It starts with zeros.
public final class Image {

    private final Layout layout;
    private final long[] values;
    private long version;

    Image(Layout layout) {
        this.layout = layout;
        values = new long[layout.size()];
    }

    private Image(Image other) {
        layout = other.layout;
        values = other.values.clone();
        version = other.version;
    }

    public Layout layout() {
        return layout;
    }

    public long get(Field field) {
        return values[field.ordinal()];
    }

    public boolean has(Field field, long mask) {
        return (values[field.ordinal()] & mask) != 0;
    }

    /// Counts the writes by software, so that whoever checked the image knows when to check again.
    public long version() {
        return version;
    }

    void set(int id, long value) {
        values[layout.ordinal(id)] = value;
    }

    void setBySoftware(int id, long value) {
        set(id, value);
        version++;
    }

    Image copy() {
        return new Image(this);
    }
}
