package trapline.replayer.observed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static trapline.engine.event.Tracepoint.KVM_CPUID;
import static trapline.engine.event.Tracepoint.KVM_CR;
import static trapline.engine.event.Tracepoint.KVM_ENTRY;
import static trapline.engine.event.Tracepoint.KVM_EXIT;
import static trapline.engine.event.Tracepoint.KVM_HYPERCALL;
import static trapline.engine.event.Tracepoint.KVM_INJ_VIRQ;
import static trapline.engine.event.Tracepoint.KVM_MMIO;
import static trapline.engine.event.Tracepoint.KVM_MSR;
import static trapline.engine.event.Tracepoint.KVM_NESTED_VMENTER;
import static trapline.engine.event.Tracepoint.KVM_NESTED_VMEXIT;
import static trapline.engine.event.Tracepoint.KVM_NESTED_VMEXIT_INJECT;
import static trapline.engine.event.Tracepoint.KVM_PIO;
import static trapline.engine.event.Tracepoint.KVM_USERSPACE_EXIT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.guest.MsrLog;
import trapline.engine.guest.Step;

/// Each exit with what was traced until the entry is one op, by what kernels' tracepoints say.
class ObservedStepsTest {

    private static final long RIP = 0xffffffff81000000L;
    private static final Event ENTRY = hit(KVM_ENTRY, "vcpu", 0, "rip", RIP);

    private final ObservedSteps steps = new ObservedSteps(2);
    private final List<ObservedStep> found = new ArrayList<>();
    private long order;

    private static TracepointHit hit(Tracepoint point, Object... named) {
        List<Object> pairs = Arrays.asList(named);
        int present = 0;
        List<Long> values = new ArrayList<>();
        for (int i = 0; i < point.fields().size(); i++) {
            int at = pairs.indexOf(point.fields().get(i));
            if (at >= 0) {
                present |= 1 << i;
                values.add(((Number) pairs.get(at + 1)).longValue());
            }
        }
        return new TracepointHit(
                0,
                1,
                point,
                TraceFields.of(present, values.stream().mapToLong(Long::longValue).toArray(), ""));
    }

    private static TracepointHit vmx(int reason, long info1) {
        return hit(KVM_EXIT, "vcpu", 0, "isa", 1, "reason", reason, "rip", RIP, "info1", info1);
    }

    private static TracepointHit svm(int code, long info1) {
        return hit(KVM_EXIT, "vcpu", 0, "isa", 2, "reason", code, "rip", RIP, "info1", info1);
    }

    private List<Step> steps(int vcpu, Event... events) {
        for (Event event : events) {
            order++;
            Stamp stamp = new Stamp(order, vcpu, order, 0, Stamp.Scope.VCPU, 0, 0, 0);
            steps.accept(new Envelope(stamp, event), found::add);
        }
        return found.stream().map(ObservedStep::step).toList();
    }

    private void assertOp(GuestOp op, Event... events) {
        found.clear();
        assertEquals(List.of(new Step.Do(op)), steps(0, events));
    }

    @Test
    void anMsrWriteStandsAsTraced() {
        assertOp(
                new GuestOp.Wrmsr(RIP, 0x6e0, 0x1fb, true),
                vmx(32, 0),
                hit(KVM_MSR, "write", 1, "msr", 0x6e0, "value", 0x1fb, "fault", 0),
                ENTRY);
        assertEquals("MSR_WRITE", found.getFirst().at().exit());
        assertEquals(1, found.getFirst().at().order());
        assertOp(
                new GuestOp.Rdmsr(RIP, 0x1b, true, 0xfee00900L),
                svm(0x7c, 0),
                hit(KVM_MSR, "write", 0, "msr", 0x1b, "value", 0xfee00900L, "fault", 0),
                ENTRY);
        assertEquals("msr", found.getFirst().at().exit());
    }

    /// `kvm_msr: msr_read 3a = 0x0 (#GP)`: no value was read, so none stands.
    @Test
    void aFaultIsKept() {
        assertOp(
                new GuestOp.Rdmsr(RIP, 0x3a, false, 0),
                vmx(31, 0),
                hit(KVM_MSR, "write", 0, "msr", 0x3a, "value", 0, "fault", 1),
                ENTRY);
        assertEquals(true, found.getFirst().at().faulted());
    }

    @Test
    void theKernelsOwnEmulationIsAnOpWithoutAnExit() {
        assertOp(
                new GuestOp.Wrmsr(0, 0x174, 0x10, true),
                hit(KVM_MSR, "write", 1, "msr", 0x174, "value", 0x10, "fault", 0));
        assertEquals("", found.getFirst().at().exit());
    }

    @Test
    void otherInstructions() {
        assertOp(
                new GuestOp.Cpuid(RIP, 7, 1),
                vmx(10, 0),
                hit(KVM_CPUID, "function", 7, "index", 1, "rax", 0, "found", 1),
                ENTRY);
        assertOp(
                new GuestOp.Hypercall(RIP, true, 5),
                svm(0x81, 0),
                hit(KVM_HYPERCALL, "nr", 5),
                ENTRY);
        assertOp(
                new GuestOp.MovToCr(RIP, 4, 0x6f0),
                vmx(28, 4),
                hit(KVM_CR, "write", 1, "cr", 4, "value", 0x6f0),
                ENTRY);
        assertOp(
                new GuestOp.Mmio(RIP, 0xfeb00000L, 4, true, 7),
                vmx(49, 0),
                hit(KVM_MMIO, "type", 2, "len", 4, "gpa", 0xfeb00000L, "value", 7),
                ENTRY);
        assertOp(new GuestOp.Pause(RIP), svm(0x77, 0), ENTRY);
        assertOp(
                new GuestOp.TlbInvalidate(RIP, TlbInstruction.INVLPG, 0, 0x1000),
                vmx(14, 0x1000),
                ENTRY);
        assertOp(new GuestOp.Rdtsc(RIP), vmx(16, 0), ENTRY);
        assertOp(new GuestOp.Hlt(RIP), svm(0x78, 0), ENTRY);
    }

    /// A read that userspace answers is traced twice; the second has the value.
    @Test
    void whatADeviceSaidIsTheAnswer() {
        assertOp(
                new GuestOp.Mmio(RIP, 0xfed00000L, 8, false, 0),
                vmx(49, 0),
                hit(KVM_MMIO, "type", 0, "len", 8, "gpa", 0xfed00000L, "value", 0),
                hit(KVM_USERSPACE_EXIT, "reason", 6),
                hit(KVM_MMIO, "type", 1, "len", 8, "gpa", 0xfed00000L, "value", 0x99),
                ENTRY);
        assertEquals(List.of(new DeviceRead(0xfed00000L, 8, 0x99)), found.getFirst().answers());
        assertOp(
                new GuestOp.Io(RIP, 0x71, 1, false, 0),
                vmx(30, 0x710008),
                hit(KVM_USERSPACE_EXIT, "reason", 2),
                hit(KVM_PIO, "write", 0, "port", 0x71, "size", 1, "count", 1, "value", 0x26),
                ENTRY);
        assertEquals(List.of(new DeviceRead(0x71, 1, 0x26)), found.getFirst().answers());
    }

    /// `info 640008`: IN of one byte from port 0x64; on AMD 0x00640011 is the same, by EXITINFO1's bits.
    @Test
    void anExitToldByItsQualification() {
        assertOp(new GuestOp.Io(RIP, 0x64, 1, false, 0), vmx(30, 0x640008), ENTRY);
        assertOp(new GuestOp.Io(RIP, 0x80, 2, true, 0), vmx(30, 0x800001), ENTRY);
        assertOp(new GuestOp.Io(RIP, 0x64, 1, false, 0), svm(0x7b, 0x640011), ENTRY);
        assertOp(new GuestOp.Io(RIP, 0x80, 4, true, 0), svm(0x7b, 0x800040), ENTRY);
    }

    @Test
    void whatTheTraceDoesNotTellIsCounted() {
        assertEquals(
                List.of(),
                steps(
                        0,
                        vmx(32, 0),
                        ENTRY,
                        vmx(10, 0),
                        ENTRY,
                        svm(0x7c, 1),
                        ENTRY,
                        vmx(28, 0),
                        ENTRY,
                        vmx(28, 0x10),
                        ENTRY,
                        vmx(52, 0),
                        ENTRY,
                        vmx(0x80000021, 0),
                        ENTRY,
                        vmx(99, 0),
                        ENTRY));
        assertEquals(
                Map.of("MSR_WRITE", 1L, "CPUID", 1L, "msr", 1L, "CR_ACCESS", 1L),
                steps.counts().notTold());
        assertEquals(
                Map.of(
                        "CR_ACCESS", 1L, // from CR0
                        "PREEMPTION_TIMER", 1L,
                        "INVALID_STATE FAILED_VMENTRY", 1L,
                        "0x63", 1L),
                steps.counts().notModelled());
        assertEquals(8, ObservedCounts.sum(steps.counts().exits()));
    }

    @Test
    void interruptsForHostAndGuest() {
        assertEquals(
                List.of(
                        new Step.Do(new GuestOp.Run(RIP, 0)),
                        new Step.Meanwhile(new InterruptArrived(Target.HOST, 0xfd)),
                        new Step.Meanwhile(new InterruptArrived(Target.GUEST, 0x23))),
                steps(
                        0,
                        hit(
                                KVM_EXIT,
                                "vcpu",
                                0,
                                "isa",
                                1,
                                "reason",
                                1,
                                "rip",
                                RIP,
                                "info1",
                                0,
                                "info2",
                                0x800000fdL),
                        ENTRY,
                        vmx(1, 0),
                        hit(KVM_INJ_VIRQ, "vector", 0x23),
                        ENTRY));
    }

    /// What is injected when HLT ends woke the guest; without it, its timer is taken to have.
    @Test
    void aHaltedGuestIsWoken() {
        assertEquals(
                List.of(
                        new Step.Do(new GuestOp.Hlt(RIP)),
                        new Step.Meanwhile(new InterruptArrived(Target.GUEST, 0x24)),
                        new Step.Do(new GuestOp.Hlt(RIP)),
                        new Step.Meanwhile(new InterruptArrived(Target.GUEST, 0xec)),
                        new Step.Do(new GuestOp.Pause(RIP))),
                steps(
                        0,
                        vmx(12, 0),
                        hit(KVM_INJ_VIRQ, "vector", 0x24),
                        ENTRY,
                        vmx(12, 0),
                        ENTRY,
                        vmx(40, 0),
                        ENTRY));
    }

    /// An exit for an interrupt says that it runs again already.
    @Test
    void aHaltedGuestRunsBeforeItIsInterrupted() {
        assertEquals(
                List.of(
                        new Step.Do(new GuestOp.Hlt(RIP)),
                        new Step.Meanwhile(new InterruptArrived(Target.GUEST, 0xec)),
                        new Step.Meanwhile(new InterruptArrived(Target.GUEST, 0x24))),
                steps(
                        0,
                        svm(0x78, 0),
                        ENTRY,
                        svm(0x60, 0),
                        hit(KVM_INJ_VIRQ, "vector", 0x24),
                        ENTRY));
    }

    @Test
    void nestedExitsAreApart() {
        assertEquals(
                List.of(new Step.Do(new GuestOp.Pause(RIP))),
                steps(
                        0,
                        vmx(20, 0),
                        hit(KVM_NESTED_VMENTER, "isa", 1),
                        ENTRY,
                        vmx(10, 0),
                        hit(KVM_NESTED_VMEXIT, "reason", 10),
                        hit(KVM_NESTED_VMEXIT_INJECT, "reason", 10),
                        ENTRY,
                        vmx(40, 0),
                        ENTRY));
        assertEquals(Map.of("CPUID", 1L), steps.counts().nested());
        assertEquals(Map.of("VMLAUNCH", 1L), steps.counts().notModelled());
    }

    /// Each vCPU's exit ends at its own entry.
    @Test
    void vcpusDoNotMix() {
        steps(0, vmx(32, 0));
        steps(1, vmx(40, 0));
        steps(0, hit(KVM_MSR, "write", 1, "msr", 0x10, "value", 1, "fault", 0), ENTRY);
        steps(1, ENTRY);
        assertEquals(
                List.of(
                        new Step.Do(new GuestOp.Wrmsr(RIP, 0x10, 1, true)),
                        new Step.Do(new GuestOp.Pause(RIP))),
                found.stream().map(ObservedStep::step).toList());
        assertEquals(List.of(0, 1), found.stream().map(ObservedStep::vcpu).toList());
    }

    /// One REP OUTS exits once, however many elements are traced.
    @Test
    void aStringIsOneOp() {
        Event element = hit(KVM_PIO, "write", 1, "port", 0x70, "size", 1, "count", 1, "value", 1);
        assertOp(
                new GuestOp.Io(RIP, 0x70, 1, true, 1),
                vmx(30, 0x700030),
                element,
                element,
                element,
                ENTRY);
        assertEquals(Map.of("further kvm_pio of one exit", 2L), steps.counts().leftOut());
    }

    /// Which MSR the second exit was about was lost with that exit; the one that was read first is another's.
    @Test
    void nothingIsMixedAcrossAGap() {
        assertEquals(
                List.of(new Step.Do(new GuestOp.Wrmsr(0, 0x10, 1, true))),
                steps(
                        0,
                        vmx(10, 0),
                        new EventsLost(0, 12),
                        hit(KVM_MSR, "write", 1, "msr", 0x10, "value", 1, "fault", 0),
                        ENTRY));
        assertEquals(Map.of("CPUID", 1L), steps.counts().notTold());
        assertEquals(
                "1 not told by the trace: CPUID 1; the tracer lost events once",
                steps.counts().left());
    }

    /// Every exit is a step or in one of three counts; what else is lost is in a fourth.
    @Test
    void everyExitIsAccountedFor() {
        steps(
                0,
                vmx(32, 0),
                hit(KVM_INJ_VIRQ, "vector", 0x23),
                ENTRY,
                vmx(52, 0),
                hit(KVM_INJ_VIRQ, "vector", 0x24),
                ENTRY,
                vmx(40, 0),
                hit(KVM_INJ_VIRQ, "vector", 0x25),
                ENTRY,
                vmx(10, 0),
                hit(KVM_NESTED_VMEXIT, "reason", 10),
                ENTRY,
                vmx(7, 0),
                ENTRY,
                vmx(7, 0),
                hit(KVM_INJ_VIRQ, "vector", 0x26),
                ENTRY);
        assertEquals(6, ObservedCounts.sum(steps.counts().exits()));
        assertEquals(
                List.of("PAUSE_INSTRUCTION", "INTERRUPT_WINDOW"),
                found.stream().map(step -> step.at().exit()).toList());
        assertEquals(Map.of("MSR_WRITE", 1L), steps.counts().notTold());
        assertEquals(
                Map.of("PREEMPTION_TIMER", 1L, "INTERRUPT_WINDOW", 1L),
                steps.counts().notModelled());
        assertEquals(Map.of("CPUID", 1L), steps.counts().nested());
        assertEquals(
                Map.of(
                        "kvm_inj_virq at MSR_WRITE", 1L,
                        "kvm_inj_virq at PREEMPTION_TIMER", 1L,
                        "kvm_inj_virq at PAUSE_INSTRUCTION", 1L),
                steps.counts().leftOut());
    }

    /// `kvm_userspace_exit: reason restart (4)`
    @Test
    void aSignalIsNoExitReason() {
        steps(0, hit(KVM_USERSPACE_EXIT, "errno", -4));
        assertEquals(Map.of("restart", 1L), steps.counts().userspaceExits());
    }

    /// For which MSR userspace is asked, nothing in a trace says where there is no exit.
    @Test
    void aFilteredAccessOfAnEmulatedGuestIsCounted() {
        assertEquals(List.of(), steps(0, hit(KVM_USERSPACE_EXIT, "reason", 29)));
        assertEquals(Map.of("KVM_EXIT_X86_RDMSR", 1L), steps.counts().leftOut());
    }

    /// An exit at the trace's end has no entry any more.
    @Test
    void theLastExitIsToldAtTheEnd() {
        steps(0, vmx(12, 0));
        steps.finish(found::add);
        assertEquals(new Step.Do(new GuestOp.Hlt(RIP)), found.getFirst().step());
    }

    @Test
    void anMsrLogsOpsAreThoseOfItsGuest() {
        String text =
                """
                1 0.2 vcpu0 rdmsr 0xc0000080 0x500 ffffffff81000115 a+0x1
                2 0.3 vcpu1 wrmsr 0xc0000100 0xfffff0 ffffffff81000136 b+0x2
                """;
        var run = MsrLog.parse(text, "log").start(1);
        List<Step> expected =
                Stream.generate(() -> run.advance(null) ? run.step() : null).limit(2).toList();
        steps(0, new MsrLogged(0, false, 0xc0000080, 0x500, 0xffffffff81000115L, "a+0x1"));
        steps(1, new MsrLogged(0, true, 0xc0000100, 0xfffff0, 0xffffffff81000136L, "b+0x2"));
        assertEquals(expected, found.stream().map(ObservedStep::step).toList());
    }
}
