package trapline.replayer.times;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Names;

/// What a row is about: a value of a dimension, with what was done to it, in one number.
///
/// @param code as the functions here make it
/// @param others whether it stands for all that found no place, and the code for nothing
public record Subject(Dimension dimension, long code, boolean others) {

    private static final int INTERRUPT = 0;
    private static final int INJECTED_INTERRUPT = 1;
    private static final int INJECTED_EXCEPTION = 2;
    private static final int PAGE_SHIFT = 12;

    static long reason(boolean svm, long reason) {
        return reason << 1 | (svm ? 1 : 0);
    }

    static long access(long number, boolean write) {
        return number << 1 | (write ? 1 : 0);
    }

    static long msr(int index, boolean write) {
        return access(Integer.toUnsignedLong(index), write);
    }

    static long page(long address, boolean write) {
        return access(address >>> PAGE_SHIFT, write);
    }

    static long exitVector(long vector) {
        return vector << 2 | INTERRUPT;
    }

    static long injectedInterrupt(long vector) {
        return vector << 2 | INJECTED_INTERRUPT;
    }

    static long injectedException(long vector) {
        return vector << 2 | INJECTED_EXCEPTION;
    }

    static long injected(int vector, EventType type) {
        return type == EventType.EXCEPTION ? injectedException(vector) : injectedInterrupt(vector);
    }

    /// @param errno 0 where KVM returned a reason
    static long userspace(long reason, long errno) {
        return errno == 0 ? reason : -errno;
    }

    /// As `perf kvm stat` spells it, with a name where there is one.
    public String text() {
        if (others) {
            return "others";
        }
        return switch (dimension) {
            case REASON -> reasonName();
            case MSR -> perfKey("R", "W") + "  " + Msrs.name((int) (code >> 1));
            case PORT -> perfKey("PIN", "POUT");
            case MMIO -> Names.hex(code >>> 1 << PAGE_SHIFT) + (write() ? ":W" : ":R");
            case CR -> "CR" + (code >> 1) + (write() ? ":W" : ":R");
            case VECTOR -> Names.hex(code >> 2) + "  " + how();
            case HYPERCALL, RIP -> Names.hex(code);
            case USERSPACE -> userspaceName();
            case VCPU -> code < 0 ? "unknown" : Long.toString(code);
        };
    }

    private String perfKey(String read, String write) {
        return Names.hex(code >>> 1) + ":" + (write() ? write : read);
    }

    /// What tells the row from others, in JSON.
    public SequencedMap<String, Object> tree() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        if (others) {
            tree.put("others", true);
            return tree;
        }
        switch (dimension) {
            case REASON -> {
                tree.put("reason", reasonName());
                tree.put("number", new Hex(code >> 1));
            }
            case MSR -> {
                tree.put("msr", Names.hex(code >>> 1));
                tree.put("name", Msrs.name((int) (code >> 1)));
                tree.put("access", access());
            }
            case PORT -> {
                tree.put("port", Names.hex(code >>> 1));
                tree.put("access", access());
            }
            case MMIO -> {
                tree.put("page", Names.hex(code >>> 1 << PAGE_SHIFT));
                tree.put("access", access());
            }
            case CR -> {
                tree.put("cr", code >> 1);
                tree.put("access", access());
            }
            case VECTOR -> {
                tree.put("vector", Names.hex(code >> 2));
                tree.put("how", how());
            }
            case HYPERCALL -> tree.put("number", new Hex(code));
            case USERSPACE -> {
                tree.put("reason", userspaceName());
                tree.put("number", code);
            }
            case RIP -> tree.put("rip", new Hex(code));
            case VCPU -> tree.put("vcpu", code < 0 ? null : code);
        }
        return tree;
    }

    private boolean write() {
        return (code & 1) != 0;
    }

    private String access() {
        return write() ? "write" : "read";
    }

    private String reasonName() {
        return Names.exit((code & 1) != 0 ? Vendor.SVM : Vendor.VMX, code >> 1);
    }

    private String userspaceName() {
        return code < 0 ? "error " + -code : ExitReasons.userspace((int) code);
    }

    private String how() {
        return switch ((int) code & 3) {
            case INTERRUPT -> "exit";
            case INJECTED_INTERRUPT -> "interrupt injected";
            default -> "exception injected";
        };
    }
}
