package trapline.replayer;

import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.HypercallPatched;
import trapline.engine.event.HypervisorEvent.MmioPageMapped;
import trapline.engine.event.HypervisorEvent.MsrExitsStored;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.PassThroughWithheld;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.SpecCtrlForceAnswered;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.HypervisorEvent.VariableChanged;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.InputEvent;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.Outcome;
import trapline.engine.event.Writes;
import trapline.engine.sim.EntryFailures;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// Counts of one execution: each number can be traced to the events that it counts.
public final class Tally {

    private static final long EXIT_RDMSR = 29;
    private static final long EXIT_WRMSR = 30;

    private final Vendor vendor;
    private final boolean[] outside;
    private final long[] exitsByVcpu;
    private final long[] opsByVcpu;
    private final long[] mutations;
    private final LongCounter exits = new LongCounter();
    private final LongCounter msrs = new LongCounter();
    private final LongCounter ports = new LongCounter();
    private final LongCounter hostMsrs = new LongCounter();
    private final LongCounter faults = new LongCounter();
    private final LongCounter userspaceExits = new LongCounter();
    private long events;
    private long guestOps;
    private long exitCount;
    private long fieldWrites;
    private long vmreads;
    private long bitmapWrites;
    private long loads;
    private long puts;
    private long hostExtendedControls;
    private long vmsaves;
    private long vmloads;
    private final long[] hostLoads = new long[HostInstruction.values().length];
    private long nestedEntries;
    private long nestedExits;
    private final EntryFailures entryFailures = new EntryFailures();
    private final InterceptionTimeline interception;
    private final ReturnTally returns = new ReturnTally();
    private long guestFaults;
    private long recordedValues;

    public Tally(Vendor vendor, int vcpus) {
        this.vendor = vendor;
        outside = new boolean[vcpus];
        exitsByVcpu = new long[vcpus];
        opsByVcpu = new long[vcpus];
        interception = new InterceptionTimeline(vcpus);
        mutations = new long[vendor.layout().size()];
    }

    public void add(Envelope envelope) {
        events++;
        int vcpu = envelope.stamp().vcpu();
        switch (envelope.event()) {
            case GuestEvent event -> add(event, vcpu);
            case HardwareEvent event -> add(event, envelope);
            case HypervisorEvent event -> add(event, envelope);
            case InputEvent _, ObservedEvent _ -> {}
        }
    }

    private void add(GuestEvent event, int vcpu) {
        guestOps++;
        opsByVcpu[vcpu]++;
        Outcome outcome = event.outcome();
        if (outcome == Outcome.GP || outcome == Outcome.UD) {
            guestFaults++;
        } else if (outcome == Outcome.RECORDED) {
            recordedValues++;
        }
        if (!outside[vcpu]) {
            return;
        }
        switch (event) {
            case MsrWritten e -> msrs.add(access(e.msr(), true));
            case MsrReadBack e -> msrs.add(access(e.msr(), false));
            case IoPerformed e -> ports.add((long) e.port() << 1 | (e.write() ? 1 : 0));
            case GuestEvent.NestedEntered _ -> nestedEntries++;
            default -> {}
        }
    }

    private static long access(int msr, boolean write) {
        return Integer.toUnsignedLong(msr) << 1 | (write ? 1 : 0);
    }

    private void add(HardwareEvent event, Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        switch (event) {
            case VmExited e -> {
                exitCount++;
                exitsByVcpu[vcpu]++;
                exits.add(e.reason());
                outside[vcpu] = true;
                mutations(e.written());
            }
            case VmEntered e -> {
                outside[vcpu] = false;
                mutations(e.written());
            }
            case ReturnsPredicted e -> returns.add(e);
            case RapFlushed e -> returns.add(e);
            case VmEntryFailed e -> {
                entryFailures.add(envelope);
                mutations(e.written());
            }
        }
    }

    private void mutations(Writes written) {
        Layout layout = vendor.layout();
        for (int i = 0; i < written.size(); i++) {
            if (written.place(i) >= 0) {
                mutations[layout.ordinal(written.place(i))]++;
            }
        }
    }

    private void add(HypervisorEvent event, Envelope envelope) {
        switch (event) {
            case VmcsFieldWritten e -> fieldWritten(e.field());
            case VmcbFieldWritten e -> fieldWritten(e.field());
            case VmcsFieldRead _ -> vmreads++;
            case MsrInterceptChanged _ -> {
                bitmapWrites++;
                interception.add(envelope);
            }
            case HostMsrRead e -> hostMsrs.add(host(e.msr(), e.cause(), false));
            case HostMsrWritten e -> hostMsrs.add(host(e.msr(), e.cause(), true));
            case HostMsrFaulted e -> faults.add(host(e.msr(), e.cause(), e.write()));
            case HostExtendedControlWritten _ -> hostExtendedControls++;
            case HostStateSaved e -> {
                vmsaves++;
                mutations(e.written());
            }
            case HostStateLoaded _ -> vmloads++;
            case HostRegistersLoaded e -> hostLoads[e.instruction().ordinal()]++;
            case UserspaceExited(int reason) -> {
                userspaceExits.add(reason);
                entryFailures.add(envelope);
            }
            case VcpuLoaded _ -> loads++;
            case VcpuPut _ -> puts++;
            case NestedExited _ -> {
                nestedExits++;
                interception.add(envelope);
            }
            case NestedBitmapMerged _ -> interception.add(envelope);
            case RegistersChanged _,
                    VariableChanged _,
                    EventInjected _,
                    UserspaceMsrStored _,
                    SpecCtrlForceAnswered _,
                    MmioPageMapped _,
                    HypercallPatched _,
                    MsrFilterStored _,
                    MsrExitsStored _,
                    UserspaceMsrAsked _,
                    PassThroughWithheld _ -> {}
        }
    }

    private void fieldWritten(int field) {
        fieldWrites++;
        mutations[vendor.layout().ordinal(field)]++;
    }

    private static long host(int msr, HostCause cause, boolean write) {
        return (Integer.toUnsignedLong(msr) << 8) | ((long) cause.ordinal() << 1) | (write ? 1 : 0);
    }

    public Vendor vendor() {
        return vendor;
    }

    public long events() {
        return events;
    }

    public long guestOps() {
        return guestOps;
    }

    public long[] guestOpsByVcpu() {
        return opsByVcpu.clone();
    }

    public long exits() {
        return exitCount;
    }

    /// Exits by reason or code.
    public SortedMap<Long, Long> exitsByReason() {
        return exits.sorted();
    }

    public long[] exitsByVcpu() {
        return exitsByVcpu.clone();
    }

    /// Reads and writes of MSRs that the hypervisor handled, by index.
    public SortedMap<Long, Accesses> msrAccesses() {
        return accesses(msrs);
    }

    /// Reads and writes of ports that the hypervisor handled.
    public SortedMap<Long, Accesses> portAccesses() {
        return accesses(ports);
    }

    private static SortedMap<Long, Accesses> accesses(LongCounter counter) {
        SortedMap<Long, Accesses> accesses = new TreeMap<>();
        counter.sorted()
                .forEach((key, count) ->
                        accesses.merge(
                                key >>> 1,
                                (key & 1) != 0 ? new Accesses(0, count) : new Accesses(count, 0),
                                Accesses::plus));
        return accesses;
    }

    /// What the hypervisor itself read and wrote, by MSR and cause.
    public java.util.List<HostAccess> hostAccesses() {
        return hostMsrs.sorted().entrySet().stream()
                .map(entry -> HostAccess.of(entry.getKey(), entry.getValue()))
                .toList();
    }

    /// What of that faulted.
    public java.util.List<HostAccess> hostFaults() {
        return faults.sorted().entrySet().stream()
                .map(entry -> HostAccess.of(entry.getKey(), entry.getValue()))
                .toList();
    }

    /// Changes of fields by name, and of MSR bitmaps.
    public SortedMap<String, Long> mutations() {
        SortedMap<String, Long> byName = new TreeMap<>();
        for (Field field : vendor.layout().fields()) {
            if (mutations[field.ordinal()] != 0) {
                byName.put(field.name(), mutations[field.ordinal()]);
            }
        }
        if (bitmapWrites != 0) {
            byName.put("MSR_BITMAP_BITS", bitmapWrites);
        }
        return byName;
    }

    /// How often the hypervisor wrote a field.
    public long fieldWrites() {
        return fieldWrites;
    }

    /// How often it read one that the processor changes while the guest runs; other reads are part of handling.
    public long vmreads() {
        return vmreads;
    }

    public long bitmapWrites() {
        return bitmapWrites;
    }

    public long userspaceExits() {
        return userspaceExits.sorted().values().stream().mapToLong(Long::longValue).sum();
    }

    /// Those over an MSR access: KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR.
    public long msrExits() {
        SortedMap<Long, Long> byReason = userspaceExits.sorted();
        return byReason.getOrDefault(EXIT_RDMSR, 0L) + byReason.getOrDefault(EXIT_WRMSR, 0L);
    }

    /// Returns to userspace by KVM_EXIT reason.
    public SortedMap<Long, Long> userspaceExitsByReason() {
        return userspaceExits.sorted();
    }

    public long loads() {
        return loads;
    }

    public long puts() {
        return puts;
    }

    /// How often the hypervisor executed XSETBV.
    public long hostExtendedControls() {
        return hostExtendedControls;
    }

    public long vmsaves() {
        return vmsaves;
    }

    public long vmloads() {
        return vmloads;
    }

    /// How often the hypervisor loaded a register or segment of the host's with this instruction.
    public long hostLoads(HostInstruction instruction) {
        return hostLoads[instruction.ordinal()];
    }

    public long nestedEntries() {
        return nestedEntries;
    }

    public long nestedExits() {
        return nestedExits;
    }

    public InterceptionTimeline interception() {
        return interception;
    }

    public EntryFailures entryFailures() {
        return entryFailures;
    }

    /// What the return-address predictor was good for, and when it was flushed.
    public ReturnTally returns() {
        return returns;
    }

    /// Ops that faulted in the guest.
    public long guestFaults() {
        return guestFaults;
    }

    /// Reads that an imported log answered, because the model does not cover the MSR.
    public long recordedValues() {
        return recordedValues;
    }

    public record Accesses(long reads, long writes) {
        Accesses plus(Accesses other) {
            return new Accesses(reads + other.reads, writes + other.writes);
        }
    }

    /// Accesses of the hypervisor to one MSR for one cause.
    public record HostAccess(int msr, HostCause cause, boolean write, long count) {
        private static final HostCause[] CAUSES = HostCause.values();

        static HostAccess of(long key, long count) {
            return new HostAccess(
                    (int) (key >>> 8), CAUSES[(int) (key >>> 1 & 0x7f)], (key & 1) != 0, count);
        }

        /// The cause as JSON and cost profiles spell it.
        public String causeName() {
            return Names.camel(cause.name());
        }
    }
}
