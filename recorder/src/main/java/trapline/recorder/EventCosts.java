package trapline.recorder;

import java.util.HashMap;
import java.util.Map;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.engine.text.Camel;

/// What one event costs under a cost profile, typically: the sum over an execution is what a comparison
/// projects for it.
final class EventCosts {

    private final CostProfile profile;
    private final Vendor vendor;
    private final Map<Long, Double> exits = new HashMap<>();
    private final Map<Long, Double> accesses = new HashMap<>();
    private final double[] instructions = new double[HostInstruction.values().length];
    private final double fieldWrite;
    private final double fieldRead;
    private final double bitmapWrite;
    private final double userspace;
    private final double load;
    private final double put;
    private final double vmsave;
    private final double vmload;
    private final double extendedControl;
    private final double nestedEntry;
    private final double nestedExit;
    private final double rapFlush;

    EventCosts(CostProfile profile, Vendor vendor) {
        this.profile = profile;
        this.vendor = vendor;
        fieldWrite = typical("field-write");
        fieldRead = typical(profile.vmread());
        bitmapWrite = typical("msr-bitmap-write");
        userspace = typical("userspace");
        load = typical("vcpu-load");
        put = typical("vcpu-put");
        vmsave = typical("vmsave");
        vmload = typical("vmload");
        extendedControl = typical(profile.keyOf("host-wrmsr", "xsetbv"));
        nestedEntry = typical("nested-entry");
        nestedExit = typical("nested-exit");
        rapFlush = profile.keyOfRapFlush().map(this::typical).orElse(0.0);
        for (HostInstruction instruction : HostInstruction.values()) {
            instructions[instruction.ordinal()] =
                    typical(profile.keyOf(action(instruction), instruction.name()));
        }
    }

    private static String action(HostInstruction instruction) {
        return switch (instruction) {
            case WRGSBASE -> "wrgsbase";
            case LTR -> "tr-reload";
            case LLDT, MOV_FS, MOV_GS -> "segment-load";
        };
    }

    private double typical(String figure) {
        return profile.figure(figure).range().typical();
    }

    /// @param outside whether the guest's op has exited
    double of(Event event, boolean outside) {
        return switch (event) {
            case VmExited e -> exits.computeIfAbsent(e.reason(), this::exit);
            case VmcsFieldWritten _, VmcbFieldWritten _ -> fieldWrite;
            case VmcsFieldRead _ -> fieldRead;
            case MsrInterceptChanged _ -> bitmapWrite;
            case HostMsrRead e -> access(e.msr(), e.cause(), false);
            case HostMsrWritten e -> access(e.msr(), e.cause(), true);
            case HostExtendedControlWritten _ -> extendedControl;
            case HostStateSaved _ -> vmsave;
            case HostStateLoaded _ -> vmload;
            case HostRegistersLoaded e -> instructions[e.instruction().ordinal()];
            case UserspaceExited _ -> userspace;
            case VcpuLoaded _ -> load;
            case VcpuPut _ -> put;
            case NestedExited _ -> nestedExit;
            case GuestEvent.NestedEntered _ -> outside ? nestedEntry : 0;
            case RapFlushed e -> e.cause().asked() ? rapFlush : 0;
            default -> 0;
        };
    }

    private double exit(long reason) {
        String name = ExitSeconds.name(vendor, reason);
        return typical("exit") + typical(profile.keyOf("handler", name));
    }

    private double access(int msr, HostCause cause, boolean write) {
        long key = Integer.toUnsignedLong(msr) << 8 | (long) cause.ordinal() << 1 | (write ? 1 : 0);
        Double known = accesses.get(key);
        if (known == null) {
            known = access(Msrs.name(msr), Camel.of(cause.name()), write);
            accesses.put(key, known);
        }
        return known;
    }

    private double access(String msr, String cause, boolean write) {
        String action = write ? "host-wrmsr" : "host-rdmsr";
        return typical(profile.keyOf(action, cause + "." + msr, cause, msr));
    }
}
