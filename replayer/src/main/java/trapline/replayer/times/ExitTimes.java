package trapline.replayer.times;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MmioPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;
import trapline.replayer.ReplayException;
import trapline.replayer.times.Rows.Order;

/// Counts exits and what was done in them, and times them where the events have times.
///
/// It is told each event once, in order, and keeps none. A vCPU is out of the guest from an exit to its next entry;
/// what has a tracepoint of its own is timed from there to that entry, and an MMIO read from the exit to its
/// tracepoint, as `perf kvm stat` does. Of two accesses of a kind before one entry, the last is timed.
public final class ExitTimes {

    /// Groups of a dimension; what comes later is counted as others.
    public static final int LIMIT = 10_000;

    /// Stands for the vCPU of a thread of which nobody knows yet which it runs.
    static final int NOBODYS = -1;

    private final Look look;
    private final Vendor vendor;
    private final Groups groups;
    private final Windows windows;
    private final Tap tap;
    private final TreeMap<Integer, Handling> handlings = new TreeMap<>();
    private final Gaps gaps = new Gaps();
    private final ObservedExits observed = new ObservedExits(this);
    private TraceClock clock;
    private boolean timed;
    private boolean sawExit;
    private long first = Long.MAX_VALUE;
    private long last = Long.MIN_VALUE;
    private long events;
    private long exits;
    private long entries;
    private long withoutEntry;
    private long acrossGaps;
    private long backwards;

    /// @param vendor whose exit reasons the model's events have
    public ExitTimes(Look look, Vendor vendor) {
        this(look, vendor, Tap.NONE);
    }

    ExitTimes(Look look, Vendor vendor, Tap tap) {
        this.tap = tap;
        this.look = look;
        this.vendor = vendor;
        Set<Dimension> dimensions = EnumSet.of(Dimension.VCPU);
        dimensions.addAll(look.by());
        groups = new Groups(dimensions, LIMIT);
        windows = look.interval() > 0 ? new Windows(look.interval(), look.byWindow()) : null;
    }

    /// So many vCPUs have a row each, even one that does nothing.
    public void expect(int vcpus) {
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            if (look.wants(vcpu)) {
                groups.of(Dimension.VCPU, vcpu);
            }
        }
    }

    public void add(Envelope envelope) {
        events++;
        Stamp stamp = envelope.stamp();
        switch (envelope.event()) {
            case TracepointHit hit -> hit(hit, envelope);
            case VmExited exit -> exit(exit, envelope);
            case VmEntered _ -> handling(stamp.vcpu()).forget();
            case GuestEvent event -> executed(event, envelope);
            case UserspaceExited(int reason) -> told(Dimension.USERSPACE, reason, envelope);
            case EventInjected e ->
                    told(Dimension.VECTOR, Subject.injected(e.vector(), e.type()), envelope);
            case MsrLogged e -> {
                time(e.time());
                told(Dimension.MSR, Subject.msr(e.msr(), e.write()), envelope);
            }
            case EventsLost e -> lost(e, stamp);
            case TraceOpened e -> open(e.clock());
            default -> {}
        }
    }

    private void open(TraceClock found) {
        clock = found;
        if (windows != null && clock != TraceClock.NANOSECONDS) {
            throw new ReplayException(
                    ReplayException.Kind.NOT_APPLICABLE,
                    "",
                    "the trace's clock counts and does not tell time: no --interval");
        }
    }

    private void hit(TracepointHit hit, Envelope envelope) {
        if (look.wants(vcpu(envelope.stamp()))) {
            time(hit.time());
            observed.add(hit, envelope);
        }
    }

    private void lost(EventsLost event, Stamp stamp) {
        time(event.time());
        gaps.add(stamp.pcpu(), stamp.order(), event.count());
        if (windows != null) {
            windows.gap();
        }
    }

    private void time(long time) {
        timed = true;
        first = Math.min(first, time);
        last = Math.max(last, time);
        tap.time(time);
        if (windows != null) {
            windows.advance(time);
        }
    }

    /// An exit of the model's: its times are not a host's.
    private void exit(VmExited exit, Envelope envelope) {
        Stamp stamp = envelope.stamp();
        if (!look.wants(stamp.vcpu())) {
            return;
        }
        if (begin(envelope, 0)) {
            count(Dimension.REASON, Subject.reason(vendor == Vendor.SVM, exit.reason()));
            if (vendor == Vendor.VMX && exit.interruptInfo() < 0) {
                count(Dimension.VECTOR, Subject.exitVector(exit.interruptInfo() & 0xff));
            }
        }
    }

    private void executed(GuestEvent event, Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        Handling handling = handling(vcpu);
        if (!handling.outside() || !handling.wanted() || !look.wants(vcpu)) {
            return;
        }
        if (handling.takeInstruction()) {
            count(Dimension.RIP, event.rip());
        }
        switch (event) {
            case MsrWritten e -> count(Dimension.MSR, Subject.msr(e.msr(), true));
            case MsrReadBack e -> count(Dimension.MSR, Subject.msr(e.msr(), false));
            case IoPerformed e -> count(Dimension.PORT, Subject.access(e.port(), e.write()));
            case MmioPerformed e -> count(Dimension.MMIO, Subject.page(e.address(), e.write()));
            case ControlRegisterWritten e -> count(Dimension.CR, Subject.access(e.cr(), true));
            case HypercallMade e -> count(Dimension.HYPERCALL, e.number());
            default -> {}
        }
    }

    /// Something without a time of its own.
    private void told(Dimension dimension, long code, Envelope envelope) {
        if (wants(envelope)) {
            count(dimension, code);
        }
    }

    /// The vCPU of an event of a trace, or [#NOBODYS].
    static int vcpu(Stamp stamp) {
        return stamp.scope() == Scope.VCPU ? stamp.vcpu() : NOBODYS;
    }

    /// Whether to count it: its exit says so; if there is none, it is asked itself.
    boolean wants(Envelope envelope) {
        int vcpu = vcpu(envelope.stamp());
        if (!look.wants(vcpu)) {
            return false;
        }
        Handling handling = handling(vcpu);
        return handling.outside() ? handling.wanted() : fits(envelope);
    }

    private boolean fits(Envelope envelope) {
        return look.where().isEmpty() || look.where().get().holds(vendor, envelope);
    }

    /// A vCPU leaves the guest.
    ///
    /// @return whether anybody asks for this exit
    boolean begin(Envelope envelope, long time) {
        Stamp stamp = envelope.stamp();
        int vcpu = vcpu(stamp);
        Handling handling = handling(vcpu);
        sawExit = true;
        boolean wanted = fits(envelope);
        if (handling.outside() && handling.wanted()) {
            withoutEntry++;
        }
        handling.exit(time, stamp.order(), stamp.pcpu(), wanted);
        if (wanted) {
            exits++;
            if (windows != null) {
                windows.exit();
            }
            count(Dimension.VCPU, vcpu);
        }
        return wanted;
    }

    /// A vCPU enters the guest: all that was timed is over.
    void end(Envelope envelope, long time) {
        Handling handling = handling(vcpu(envelope.stamp()));
        entries++;
        for (Dimension dimension : groups.dimensions()) {
            if (handling.times(dimension)) {
                took(dimension, handling, envelope.stamp().pcpu(), time);
            }
        }
        handling.forget();
    }

    private void took(Dimension dimension, Handling handling, int pcpu, long now) {
        long since = handling.since(dimension);
        boolean lossy = gaps.since(handling.order(dimension), handling.pcpu(dimension), pcpu);
        if (lossy || now < since) {
            if (dimension == Dimension.VCPU) {
                acrossGaps += lossy ? 1 : 0;
                backwards += lossy ? 0 : 1;
            }
            return;
        }
        took(dimension, handling.code(dimension), now - since, handling, now);
    }

    void took(Dimension dimension, long code, long duration, Handling handling, long now) {
        long userspace = handling.inUserspace(now);
        groups.of(dimension, code).took(duration, userspace, handling.halted());
        tap.took(dimension, code, duration);
        Group inWindow = windows == null ? null : windows.groups().of(dimension, code);
        if (inWindow != null) {
            inWindow.took(duration, userspace, handling.halted());
        }
    }

    void count(Dimension dimension, long code) {
        Group group = groups.of(dimension, code);
        if (group == null) {
            return;
        }
        group.happened();
        tap.happened(dimension, code);
        Group inWindow = windows == null ? null : windows.groups().of(dimension, code);
        if (inWindow != null) {
            inWindow.happened();
        }
    }

    boolean groupsBy(Dimension dimension) {
        return groups.dimensions().contains(dimension);
    }

    Handling handling(int vcpu) {
        return handlings.computeIfAbsent(vcpu, _ -> new Handling());
    }

    boolean lostSince(long order, int pcpu, int otherPcpu) {
        return gaps.since(order, pcpu, otherPcpu);
    }

    /// No event will follow.
    public void finish() {
        withoutEntry += handlings.values().stream().filter(h -> h.outside() && h.wanted()).count();
        handlings.clear();
        if (windows != null) {
            windows.close();
        }
    }

    public Set<Dimension> dimensions() {
        return Collections.unmodifiableSet(groups.dimensions());
    }

    public List<Row> rows(Dimension dimension, Order order) {
        return Rows.of(groups, dimension, order, look.histogram());
    }

    public Optional<Windows> windows() {
        return Optional.ofNullable(windows);
    }

    /// Whether the events have a host's times.
    public boolean timed() {
        return timed;
    }

    /// What times are in.
    public String unit() {
        return clock == TraceClock.COUNTS ? "counts" : "ns";
    }

    /// Whether exits are among the events at all, wanted or not.
    public boolean sawExit() {
        return sawExit;
    }

    public long events() {
        return events;
    }

    public long exits() {
        return exits;
    }

    public long entries() {
        return entries;
    }

    /// Exits after which no entry of their vCPU came before its next exit or the end.
    public long withoutEntry() {
        return withoutEntry;
    }

    /// Exits that are not timed since events were lost before the entry.
    public long acrossGaps() {
        return acrossGaps;
    }

    /// Exits that are not timed since the entry's time is before theirs.
    public long backwards() {
        return backwards;
    }

    public long gaps() {
        return gaps.count();
    }

    /// Events that the tracer lost, as far as it told.
    public long lost() {
        return gaps.lost();
    }

    /// The time of the first event, if any has one.
    public long first() {
        return timed ? first : 0;
    }

    /// From the first event to the last.
    public long span() {
        return timed ? last - first : 0;
    }
}
