package trapline.engine.state;

import trapline.engine.table.Layout;

/// Whose virtualization hardware it is.
public enum Vendor {
    VMX(Layout.VMCS, BitmapFormat.VMX),
    SVM(Layout.VMCB, BitmapFormat.SVM);

    private final Layout layout;
    private final BitmapFormat bitmap;

    Vendor(Layout layout, BitmapFormat bitmap) {
        this.layout = layout;
        this.bitmap = bitmap;
    }

    /// The fields of its control structure.
    public Layout layout() {
        return layout;
    }

    public BitmapFormat bitmap() {
        return bitmap;
    }
}
