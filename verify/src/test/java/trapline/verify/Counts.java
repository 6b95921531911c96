package trapline.verify;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Writes;
import trapline.engine.state.Vendor;
import trapline.engine.table.Layout;
import trapline.replayer.Tally;

/// Figures by name, as a tally has them and as somebody counts who has nothing but the events.
final class Counts {

    private static final List<String> SINGLE =
            List.of(
                    "VcpuLoaded",
                    "VcpuPut",
                    "UserspaceExited",
                    "HostStateSaved",
                    "HostStateLoaded",
                    "HostRegistersLoaded",
                    "NestedExited",
                    "MsrInterceptChanged",
                    "VmEntryFailed");

    private final SortedMap<String, Long> counts = new TreeMap<>();

    private Counts() {}

    static SortedMap<String, Long> of(Tally tally) {
        Counts counts = new Counts();
        counts.add("events", tally.events());
        counts.add("guest ops", tally.guestOps());
        counts.add("exits", tally.exits());
        tally.exitsByReason().forEach((reason, count) -> counts.add("exit " + reason, count));
        for (int vcpu = 0; vcpu < tally.exitsByVcpu().length; vcpu++) {
            counts.add("exits of vCPU " + vcpu, tally.exitsByVcpu()[vcpu]);
        }
        tally.msrAccesses()
                .forEach((msr, accesses) -> {
                    counts.add("read " + msr, accesses.reads());
                    counts.add("write " + msr, accesses.writes());
                });
        for (Tally.HostAccess access : tally.hostAccesses()) {
            String name = host(access.write(), access.msr(), access.cause());
            counts.add(name, access.count());
        }
        tally.mutations().forEach((field, count) -> counts.add("field " + field, count));
        counts.add("field writes", tally.fieldWrites());
        counts.add("VcpuLoaded", tally.loads());
        counts.add("VcpuPut", tally.puts());
        counts.add("UserspaceExited", tally.userspaceExits());
        counts.add("HostStateSaved", tally.vmsaves());
        counts.add("HostStateLoaded", tally.vmloads());
        for (HostInstruction instruction : HostInstruction.values()) {
            counts.add("HostRegistersLoaded", tally.hostLoads(instruction));
        }
        counts.add("NestedExited", tally.nestedExits());
        counts.add("MsrInterceptChanged", tally.bitmapWrites());
        counts.add("VmEntryFailed", tally.entryFailures().total());
        return counts.counts;
    }

    static SortedMap<String, Long> of(List<Envelope> events, Vendor vendor) {
        Counts counts = new Counts();
        TreeMap<Integer, Boolean> outside = new TreeMap<>();
        for (Envelope envelope : events) {
            int vcpu = envelope.stamp().vcpu();
            Event event = envelope.event();
            counts.add("events", 1);
            counts.add(event, vendor.layout());
            if (SINGLE.contains(event.name())) {
                counts.add(event.name(), 1);
            }
            if (event instanceof VmExited exit) {
                counts.add("exits", 1);
                counts.add("exit " + exit.reason(), 1);
                counts.add("exits of vCPU " + vcpu, 1);
                outside.put(vcpu, true);
            } else if (event instanceof VmEntered) {
                outside.put(vcpu, false);
            }
            if (event instanceof GuestEvent) {
                counts.add("guest ops", 1);
                counts.handled(event, outside.getOrDefault(vcpu, false));
            }
        }
        return counts.counts;
    }

    /// An access is the hypervisor's business if the vCPU is not back in its guest when it ends.
    private void handled(Event event, boolean outside) {
        switch (event) {
            case MsrWritten write when outside ->
                    add("write " + Integer.toUnsignedLong(write.msr()), 1);
            case MsrReadBack read when outside ->
                    add("read " + Integer.toUnsignedLong(read.msr()), 1);
            default -> {}
        }
    }

    private void add(Event event, Layout layout) {
        switch (event) {
            case HostMsrRead read -> add(host(false, read.msr(), read.cause()), 1);
            case HostMsrWritten write -> add(host(true, write.msr(), write.cause()), 1);
            case VmcsFieldWritten write -> fieldWritten(write.field(), layout);
            case VmcbFieldWritten write -> fieldWritten(write.field(), layout);
            case VmExited exit -> fields(exit.written(), layout);
            case VmEntered entry -> fields(entry.written(), layout);
            case VmEntryFailed failure -> fields(failure.written(), layout);
            case HostStateSaved saved -> fields(saved.written(), layout);
            default -> {}
        }
        if (event.name().equals("MsrInterceptChanged")) {
            add("field MSR_BITMAP_BITS", 1);
        }
    }

    private void fieldWritten(int field, Layout layout) {
        add("field writes", 1);
        field(field, layout);
    }

    private void fields(Writes written, Layout layout) {
        for (int i = 0; i < written.size(); i++) {
            if (written.place(i) >= 0) {
                field(written.place(i), layout);
            }
        }
    }

    private void field(int place, Layout layout) {
        add("field " + layout.fields().get(layout.ordinal(place)).name(), 1);
    }

    private static String host(boolean write, int msr, Enum<?> cause) {
        return "host %s of %x for %s".formatted(write ? "write" : "read", msr, cause);
    }

    /// What happened never is left out.
    private void add(String name, long count) {
        if (count != 0) {
            counts.merge(name, count, Long::sum);
        }
    }
}
