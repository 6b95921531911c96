package trapline.recorder.observe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.recorder.trace.TraceFormat;
import trapline.recorder.trace.TraceSink;

/// Makes of what a trace tells the events of each VM in it.
///
/// Only kvm_entry, and later kernels' kvm_exit, say which vCPU a thread runs. So the first events are held until
/// the threads have shown themselves; a thread that shows itself later is the VM's own until then.
public final class Observer implements TraceSink {

    /// Events held at most before threads get their vCPUs.
    private static final int HELD = 1 << 16;

    /// Pauses for which they are held at most.
    private static final int HELD_PAUSES = 10;

    /// The most vCPUs that KVM gives a VM (KVM_MAX_VCPUS).
    private static final int MOST_VCPUS = 4096;

    /// Tracepoints that other threads than vCPUs' hit, too.
    private static final Set<Tracepoint> ANYBODYS =
            EnumSet.of(
                    Tracepoint.KVM_SET_IRQ,
                    Tracepoint.KVM_ACK_IRQ,
                    Tracepoint.KVM_MSI_SET_IRQ,
                    Tracepoint.KVM_APIC_ACCEPT_IRQ,
                    Tracepoint.KVM_WRITE_TSC_OFFSET,
                    Tracepoint.KVM_APICV_INHIBIT_CHANGED,
                    Tracepoint.KVM_ASYNC_PF_COMPLETED,
                    Tracepoint.KVM_FPU,
                    Tracepoint.KVM_EOI,
                    Tracepoint.KVM_PV_EOI,
                    Tracepoint.KVM_SMM_TRANSITION,
                    Tracepoint.KVM_ENTER_SMM);

    /// Receives the events of all VMs.
    public interface Sink {

        /// @param vm which of the trace's VMs, from 0
        void event(int vm, Envelope envelope);

        /// It may be long until more comes, see [TraceSink#pause].
        default void pause() {}
    }

    private final String file;
    private final Sink sink;
    private final Map<Integer, HostThread> threads = new HashMap<>();
    private final VmThreads vms = new VmThreads();
    private final List<Stream> streams = new ArrayList<>();
    private final List<Runnable> held = new ArrayList<>();
    private final SortedMap<String, Long> unassigned = new TreeMap<>();
    private boolean settled;
    private int pauses;
    private TraceOpened opened;
    private HostThread last = new HostThread(-1, 0, "");
    private long early;

    /// @param file the trace's name
    public Observer(String file, Sink sink) {
        this.file = file;
        this.sink = sink;
    }

    /// One VM's events so far.
    private static final class Stream {
        long order;
        long[] seqs = new long[1];
        long[] exits = new long[1];

        void reach(int vcpu) {
            if (vcpu >= seqs.length) {
                seqs = Arrays.copyOf(seqs, vcpu + 1);
                exits = Arrays.copyOf(exits, vcpu + 1);
            }
        }
    }

    @Override
    public void opened(TraceFormat format, TraceClock clock) {
        opened = new TraceOpened(file, format.text(), clock);
    }

    @Override
    public void thread(int id, int process, String name) {
        if (!settled) {
            meet(id, process, name);
            return;
        }
        HostThread thread = threads.get(id);
        if (thread == null) {
            meet(id, process, name);
        } else if (!thread.name.equals(name) || (process != 0 && thread.process != process)) {
            thread.name = name;
            thread.process = process != 0 ? process : thread.process;
            thread.introduced = false;
        }
    }

    private void meet(int id, int process, String name) {
        HostThread thread = threads.computeIfAbsent(id, _ -> new HostThread(id, process, name));
        thread.name = name;
        thread.process = process != 0 ? process : thread.process;
    }

    @Override
    public void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
        HostThread who = who(thread);
        identify(who, point, fields);
        TracepointHit hit = new TracepointHit(time, thread, point, fields);
        int vcpu = who.vcpu;
        if (settled) {
            observe(cpu, who, vcpu, hit);
        } else {
            hold(() -> observe(cpu, who, vcpu < 0 ? who.firstVcpu : vcpu, hit));
        }
    }

    private HostThread who(int thread) {
        if (last.id != thread) {
            last = threads.computeIfAbsent(thread, id -> new HostThread(id, 0, ""));
        }
        return last;
    }

    private void hold(Runnable event) {
        held.add(event);
        if (held.size() >= HELD) {
            settle();
        }
    }

    /// Learns from an event which vCPU its thread runs.
    private void identify(HostThread who, Tracepoint point, TraceFields fields) {
        if (ANYBODYS.contains(point)) {
            return;
        }
        who.runsVcpu = true;
        long vcpu = fields.value(point.vcpu(), -1);
        if (vcpu < 0 || vcpu >= MOST_VCPUS || vcpu == who.vcpu) {
            return;
        }
        who.numbered = false;
        who.vcpu = (int) vcpu;
        who.firstVcpu = who.firstVcpu < 0 ? who.vcpu : who.firstVcpu;
        if (settled && !who.joined) {
            vms.join(who);
        }
        if (who.vm >= 0) {
            VmThreads.Vm vm = vms.vms().get(who.vm);
            vm.vcpus = Math.max(vm.vcpus, who.vcpu + 1);
        }
    }

    /// Where a trace is followed, nothing is held for longer than a second or so.
    @Override
    public void pause() {
        if (!settled && !held.isEmpty() && ++pauses == HELD_PAUSES) {
            settle();
        }
        sink.pause();
    }

    private void settle() {
        settled = true;
        vms.settle(threads.values());
        if (vms.vms().isEmpty() && !held.isEmpty()) {
            vms.vms().add(new VmThreads.Vm());
            threads.values().forEach(vms::adopt);
        }
        held.forEach(Runnable::run);
        held.clear();
    }

    private void observe(int cpu, HostThread who, int runs, TracepointHit hit) {
        if (who.vm < 0) {
            vms.adopt(who);
        }
        if (who.vm < 0) {
            unassigned.merge(hit.point().text(), 1L, Long::sum);
            return;
        }
        Stream stream = stream(who.vm, cpu);
        if (!who.introduced) {
            who.introduced = true;
            emit(stream, who.vm, cpu, -1, 0, new ThreadSeen(who.id, who.process, who.name));
        }
        int vcpu = vcpuOf(runs, hit);
        if (vcpu < 0 && who.runsVcpu) {
            early++;
        }
        handling(stream, vcpu, cpu, who.vm, hit);
    }

    /// The vCPU that an event is about, or -1. What names its own vCPU knows better than its thread.
    private static int vcpuOf(int runs, TracepointHit hit) {
        long told = hit.fields().value(hit.point().vcpu(), -1);
        if (told >= 0 && told < MOST_VCPUS) {
            return (int) told;
        }
        return runs;
    }

    /// From an exit to the next entry, the exit is the cause of what its vCPU's thread does.
    private void handling(Stream stream, int vcpu, int cpu, int vm, TracepointHit hit) {
        if (vcpu < 0) {
            emit(stream, vm, cpu, -1, 0, hit);
            return;
        }
        stream.reach(vcpu);
        boolean exit = hit.point() == Tracepoint.KVM_EXIT;
        long order = emit(stream, vm, cpu, vcpu, exit ? 0 : stream.exits[vcpu], hit);
        if (exit) {
            stream.exits[vcpu] = order;
        } else if (hit.point() == Tracepoint.KVM_ENTRY) {
            stream.exits[vcpu] = 0;
        }
    }

    @Override
    public void msr(int vcpu, MsrLogged access) {
        settled = true;
        if (vms.vms().isEmpty()) {
            vms.vms().add(new VmThreads.Vm());
        }
        VmThreads.Vm vm = vms.vms().getFirst();
        vm.vcpus = Math.max(vm.vcpus, vcpu + 1);
        emit(stream(0, 0), 0, 0, vcpu, 0, access);
    }

    @Override
    public void lost(int cpu, long time, long count) {
        if (settled) {
            tellLost(cpu, new EventsLost(time, count));
        } else {
            hold(() -> tellLost(cpu, new EventsLost(time, count)));
        }
    }

    private void tellLost(int cpu, EventsLost lost) {
        for (int vm = 0; vm < vms.vms().size(); vm++) {
            Stream stream = stream(vm, cpu);
            Arrays.fill(stream.exits, 0);
            emit(stream, vm, cpu, -1, 0, lost);
        }
    }

    private Stream stream(int vm, int cpu) {
        while (streams.size() <= vm) {
            streams.add(null);
        }
        Stream stream = streams.get(vm);
        if (stream == null) {
            stream = new Stream();
            streams.set(vm, stream);
            emit(stream, vm, cpu, -1, 0, opened);
        }
        return stream;
    }

    /// @param vcpu -1 for what is the whole VM's
    private long emit(Stream stream, int vm, int cpu, int vcpu, long cause, Event event) {
        int of = Math.max(vcpu, 0);
        stream.reach(of);
        stream.order++;
        stream.seqs[of]++;
        Stamp stamp =
                new Stamp(
                        stream.order,
                        of,
                        stream.seqs[of],
                        event instanceof EventsLost ? cpu : Math.max(cpu, 0),
                        vcpu < 0 ? Scope.VM : Scope.VCPU,
                        0,
                        0,
                        cause);
        sink.event(vm, new Envelope(stamp, event));
        return stream.order;
    }

    /// The trace has ended.
    public void finish() {
        if (!settled) {
            settle();
        }
    }

    /// One VM of the trace, for its user.
    ///
    /// @param process 0 where the trace does not tell
    public record VmSeen(int process, List<Integer> threads, int vcpus) {}

    /// The VMs seen so far.
    public List<VmSeen> vms() {
        return vms.vms().stream().map(Observer::seen).toList();
    }

    private static VmSeen seen(VmThreads.Vm vm) {
        int process = vm.threads.stream().mapToInt(thread -> thread.process).max().orElse(0);
        Collection<Integer> ids = vm.threads.stream().map(thread -> thread.id).sorted().toList();
        return new VmSeen(process, List.copyOf(ids), vm.vcpus);
    }

    /// Events, by name, of threads that may be any VM's.
    public SortedMap<String, Long> unassigned() {
        return unassigned;
    }

    /// Events of threads that had not told their vCPU yet, though the trace tells others': kept as the VM's.
    public long beforeEntry() {
        return early;
    }

    /// Whether threads are vCPUs only by the order of their ids, because the trace does not tell.
    public boolean numbered() {
        return threads.values().stream().anyMatch(thread -> thread.numbered);
    }
}
