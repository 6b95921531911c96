package trapline.replayer;

import java.util.Locale;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.text.Camel;

/// How results spell what events number.
public final class Names {

    private Names() {}

    /// `EXIT_SAVE` to `exitSave`.
    public static String camel(String constant) {
        return Camel.of(constant);
    }

    /// `EXIT_SAVE` to `exit save`.
    static String words(String constant) {
        return constant.toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /// An exit reason or code as `kvm_exit` prints it.
    public static String exit(Vendor vendor, long reason) {
        return vendor == Vendor.VMX ? ExitReasons.vmx(reason) : ExitReasons.svm(reason);
    }

    public static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
