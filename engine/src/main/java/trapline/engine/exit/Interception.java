package trapline.engine.exit;

import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.PassThroughWithheld;
import trapline.engine.event.MsrFilter;
import trapline.engine.state.MsrBitmap;

/// Which MSR accesses of L1 exit: as KVM wants it, and whatever userspace's filter denies (FACTS 1.3 and 2.6).
///
/// All changes of 01's bitmap come through here. L2's is made of it at the next nested entry.
public final class Interception {

    private Interception() {}

    /// Lets these kinds of access through, unless the filter denies them; the others stay as they are.
    public static void pass(Vcpu v, int msr, boolean read, boolean write) {
        set(v, msr, !read && !wanted(v, msr, false), !write && !wanted(v, msr, true));
    }

    /// Says for both kinds of access whether KVM wants them to exit.
    public static void set(Vcpu v, int msr, boolean readExits, boolean writeExits) {
        MsrBitmap bitmap = v.state().bitmap(1);
        if (!bitmap.covers(msr)) {
            return;
        }
        MsrFilter filter = v.machine().vm().msrFilter();
        boolean noRead = !readExits && filter.denies(msr, false);
        boolean noWrite = !writeExits && filter.denies(msr, true);
        if (noRead != v.state().isWithheld(msr, false)
                || noWrite != v.state().isWithheld(msr, true)) {
            v.emit(new PassThroughWithheld(msr, noRead, noWrite));
        }
        boolean read = readExits || noRead;
        boolean write = writeExits || noWrite;
        if (read != bitmap.exits(msr, false) || write != bitmap.exits(msr, true)) {
            v.emit(new MsrInterceptChanged(1, msr, read, write));
        }
    }

    /// Whether KVM wants the access to pass: it does, or only the filter keeps it from that.
    static boolean wanted(Vcpu v, int msr, boolean write) {
        return !v.state().bitmap(1).exits(msr, write) || v.state().isWithheld(msr, write);
    }
}
