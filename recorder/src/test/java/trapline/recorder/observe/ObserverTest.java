package trapline.recorder.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.recorder.observe.Observer.VmSeen;
import trapline.recorder.trace.TraceFormat;

class ObserverTest {

    private static final TraceFields NOTHING = TraceFields.of(0, new long[0], "");

    private final List<List<Envelope>> vms = new ArrayList<>();
    private final Observer observer = new Observer("dir/trace.txt", this::take);
    private long time;

    private void take(int vm, Envelope envelope) {
        while (vms.size() <= vm) {
            vms.add(new ArrayList<>());
        }
        vms.get(vm).add(envelope);
    }

    private void open() {
        observer.opened(TraceFormat.FTRACE, TraceClock.NANOSECONDS);
    }

    /// kvm_entry has its vCPU first in all its fields.
    private void entry(int thread, int vcpu) {
        hit(thread, Tracepoint.KVM_ENTRY, TraceFields.of(1, new long[] {vcpu}, ""));
    }

    /// As 4.x prints it: no vCPU.
    private void exit(int thread) {
        hit(thread, Tracepoint.KVM_EXIT, NOTHING);
    }

    private void hit(int thread, Tracepoint point, TraceFields fields) {
        observer.hit(1, thread, time++, point, fields);
    }

    private List<Envelope> hits(int vm) {
        return vms.get(vm).stream().filter(e -> e.event() instanceof TracepointHit).toList();
    }

    private static List<Integer> vcpus(List<Envelope> events) {
        return events.stream().map(e -> e.stamp().vcpu()).toList();
    }

    private static List<Long> causes(List<Envelope> events) {
        return events.stream().map(e -> e.stamp().cause()).toList();
    }

    @Test
    void learnsTheVcpuOfAnExitFromALaterEntry() {
        open();
        observer.thread(50, 0, "qemu");
        observer.thread(51, 0, "qemu");
        exit(51);
        exit(50);
        entry(51, 1);
        entry(50, 0);
        observer.finish();
        assertEquals(List.of(1, 0, 1, 0), vcpus(hits(0)));
        assertEquals(List.of(new VmSeen(0, List.of(50, 51), 2)), observer.vms());
    }

    /// Events: 1 the trace, 2 its thread, 3 exit, 4 MSR access, 5 entry, 6 MSR access outside of an exit.
    @Test
    void anExitCausesWhatItsVcpuDoesUntilItsEntry() {
        open();
        observer.thread(50, 0, "qemu");
        exit(50);
        hit(50, Tracepoint.KVM_MSR, NOTHING);
        entry(50, 0);
        hit(50, Tracepoint.KVM_MSR, NOTHING);
        observer.finish();
        assertEquals(List.of(0L, 3L, 3L, 0L), causes(hits(0)));
        assertEquals(new TraceOpened("dir/trace.txt", "ftrace", TraceClock.NANOSECONDS), first(0));
        assertEquals(new ThreadSeen(50, 0, "qemu"), vms.get(0).get(1).event());
    }

    private Object first(int vm) {
        return vms.get(vm).getFirst().event();
    }

    @Test
    void numbersAllWithoutGaps() {
        open();
        observer.thread(50, 0, "qemu");
        observer.thread(51, 0, "qemu");
        entry(50, 0);
        entry(51, 1);
        exit(50);
        exit(51);
        observer.finish();
        List<Envelope> all = vms.getFirst();
        for (int i = 0; i < all.size(); i++) {
            assertEquals(i + 1, all.get(i).stamp().order());
        }
        List<Long> second =
                all.stream().filter(e -> e.stamp().vcpu() == 1).map(e -> e.stamp().seq()).toList();
        assertEquals(List.of(1L, 2L), second);
    }

    @Test
    void aVcpuThatAVmHasAlreadyBeginsTheNextVm() {
        open();
        for (int thread : new int[] {100, 101, 200, 201}) {
            observer.thread(thread, 0, "CPU " + thread % 100 + "/KVM");
        }
        entry(101, 1);
        entry(200, 0);
        entry(201, 1);
        entry(100, 0);
        observer.finish();
        assertEquals(
                List.of(new VmSeen(0, List.of(100, 101), 2), new VmSeen(0, List.of(200, 201), 2)),
                observer.vms());
        assertEquals(List.of(1, 0), vcpus(hits(0)));
        assertEquals(List.of(0, 1), vcpus(hits(1)));
    }

    @Test
    void threadsOfOneProcessAreOneVm() {
        open();
        observer.thread(100, 90, "qemu");
        observer.thread(5000, 90, "qemu");
        observer.thread(101, 95, "qemu");
        entry(100, 0);
        entry(5000, 1);
        entry(101, 1);
        observer.finish();
        assertEquals(
                List.of(new VmSeen(90, List.of(100, 5000), 2), new VmSeen(95, List.of(101), 2)),
                observer.vms());
    }

    @Test
    void otherThreadsBelongToTheOnlyVm() {
        open();
        observer.thread(50, 0, "qemu");
        observer.thread(7, 0, "kworker/1:2");
        entry(50, 0);
        hit(7, Tracepoint.KVM_SET_IRQ, NOTHING);
        observer.finish();
        assertEquals(Scope.VM, hits(0).getLast().stamp().scope());
        assertEquals(Map.of(), observer.unassigned());
    }

    @Test
    void ofSeveralVmsOnlyTheNamedOneGetsAKernelThreadsEvents() {
        open();
        observer.thread(50, 40, "qemu");
        observer.thread(60, 59, "qemu");
        observer.thread(7, 0, "vhost-59");
        observer.thread(8, 0, "kworker/1:2");
        entry(50, 0);
        entry(60, 0);
        hit(7, Tracepoint.KVM_SET_IRQ, NOTHING);
        hit(8, Tracepoint.KVM_SET_IRQ, NOTHING);
        observer.finish();
        assertEquals(1, hits(0).size());
        assertEquals(2, hits(1).size());
        assertEquals(Map.of("kvm_set_irq", 1L), observer.unassigned());
    }

    @Test
    void withoutAnyEntryThreadsAreNumberedAndSaidSo() {
        open();
        observer.thread(51, 0, "qemu");
        observer.thread(50, 0, "qemu");
        hit(51, Tracepoint.KVM_MSR, NOTHING);
        hit(50, Tracepoint.KVM_MSR, NOTHING);
        observer.finish();
        assertEquals(List.of(1, 0), vcpus(hits(0)));
        assertTrue(observer.numbered());
    }

    /// The first that KVM_RUN traces is kvm_fpu, which tells no vCPU.
    @Test
    void aVmThatStartsLaterIsAnother() {
        open();
        observer.thread(50, 0, "qemu");
        entry(50, 0);
        pause(10);
        observer.thread(9000, 0, "qemu");
        hit(9000, Tracepoint.KVM_FPU, NOTHING);
        entry(9000, 0);
        exit(9000);
        observer.finish();
        assertEquals(
                List.of(new VmSeen(0, List.of(50), 1), new VmSeen(0, List.of(9000), 1)),
                observer.vms());
        assertEquals(2, hits(1).size());
        assertTrue(vms.get(1).get(1).event() instanceof ThreadSeen);
    }

    @Test
    void anotherProcesssThreadWaitsForItsVm() {
        open();
        observer.thread(50, 40, "qemu");
        entry(50, 0);
        pause(10);
        observer.thread(52, 51, "qemu");
        hit(52, Tracepoint.KVM_FPU, NOTHING);
        entry(52, 0);
        observer.finish();
        assertEquals(2, observer.vms().size());
        assertEquals(Map.of("kvm_fpu", 1L), observer.unassigned());
    }

    @Test
    void lossesOfAnUnknownCpuStayUnknown() {
        open();
        observer.thread(50, 0, "qemu");
        entry(50, 0);
        observer.lost(-1, time, 3);
        observer.finish();
        assertEquals(-1, vms.getFirst().getLast().stamp().pcpu());
    }

    /// It runs a vCPU, as its access tells, and can be of neither of the others.
    @Test
    void aThreadThatTellsNothingIsAVmOfItsOwn() {
        open();
        observer.thread(50, 40, "qemu");
        observer.thread(60, 59, "qemu");
        observer.thread(5000, 0, "crosvm");
        entry(50, 0);
        entry(60, 0);
        hit(5000, Tracepoint.KVM_MSR, NOTHING);
        observer.finish();
        assertEquals(1, hits(2).size());
        assertTrue(observer.numbered());
        assertEquals(Map.of(), observer.unassigned());
    }

    @Test
    void anEntryThatComesLateStillNamesTheVcpu() {
        open();
        observer.thread(50, 0, "qemu");
        entry(50, 0);
        pause(10);
        observer.thread(51, 0, "qemu");
        exit(51);
        entry(51, 3);
        exit(51);
        observer.finish();
        List<Envelope> hits = hits(0);
        assertEquals(List.of(0, 0, 3, 3), vcpus(hits));
        assertEquals(Scope.VM, hits.get(1).stamp().scope());
        assertEquals(Scope.VCPU, hits.get(3).stamp().scope());
        assertEquals(1, observer.beforeEntry());
        assertFalse(observer.numbered());
    }

    @Test
    void oneThreadMayRunSeveralVcpus() {
        open();
        observer.thread(50, 0, "selftest");
        entry(50, 0);
        exit(50);
        entry(50, 1);
        exit(50);
        observer.finish();
        assertEquals(List.of(0, 0, 1, 1), vcpus(hits(0)));
        assertEquals(List.of(new VmSeen(0, List.of(50), 2)), observer.vms());
    }

    /// After a gap nobody knows which exit a vCPU is handling.
    @Test
    void whatComesAfterAGapHasNoCause() {
        open();
        observer.thread(50, 0, "qemu");
        exit(50);
        entry(50, 0);
        exit(50);
        observer.lost(1, time, 12);
        hit(50, Tracepoint.KVM_MSR, NOTHING);
        observer.finish();
        assertEquals(0, hits(0).getLast().stamp().cause());
        assertTrue(
                vms.getFirst().stream()
                        .anyMatch(e -> e.event().equals(new EventsLost(time - 1, 12))));
    }

    @Test
    void aLogOfAccessesIsOneVm() {
        observer.opened(TraceFormat.MSR_LOG, TraceClock.NANOSECONDS);
        observer.msr(1, new MsrLogged(5, true, 0x48, 1, 0x1000, "here"));
        observer.finish();
        assertEquals(List.of(0, 1), vcpus(vms.getFirst()));
        assertEquals(2, observer.vms().getFirst().vcpus());
    }

    @Test
    void handsOnWhatItHoldsAfterTenPauses() {
        open();
        observer.thread(50, 0, "qemu");
        entry(50, 0);
        pause(9);
        assertEquals(List.of(), vms);
        pause(1);
        assertEquals(1, hits(0).size());
    }

    private void pause(int times) {
        for (int i = 0; i < times; i++) {
            observer.pause();
        }
    }
}
