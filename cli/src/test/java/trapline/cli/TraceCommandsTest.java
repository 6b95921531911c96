package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.engine.event.Tracepoint.KVM_CPUID;
import static trapline.engine.event.Tracepoint.KVM_CR;
import static trapline.engine.event.Tracepoint.KVM_ENTRY;
import static trapline.engine.event.Tracepoint.KVM_EXIT;
import static trapline.engine.event.Tracepoint.KVM_INJ_VIRQ;
import static trapline.engine.event.Tracepoint.KVM_MSR;
import static trapline.engine.event.Tracepoint.KVM_PIO;
import static trapline.engine.event.Tracepoint.KVM_USERSPACE_EXIT;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An imported trace, executed by the model and held against it.
class TraceCommandsTest {

    private static final int EXTERNAL_INTERRUPT = 1;
    private static final int CPUID = 10;
    private static final int HLT = 12;
    private static final int IO_INSTRUCTION = 30;
    private static final int MSR_WRITE = 32;
    private static final int PREEMPTION_TIMER = 52;

    @TempDir static Path directory;

    /// Four exits that the model has ops for, one of them for FS_BASE, which it passes through; two that it has not.
    @BeforeAll
    static void trace() throws IOException {
        try (TraceSession trace = new TraceSession(directory.resolve("vmx"), "aaaaaaaaaa", 1)) {
            exit(trace, MSR_WRITE, 0xffff8000L);
            trace.hit(0, KVM_MSR, "write", 1, "msr", 0x6e0, "value", 0x1234, "fault", 0);
            entry(trace);
            exit(trace, CPUID, 0xffff9000L);
            trace.hit(
                    0,
                    KVM_CPUID,
                    "function",
                    7,
                    "index",
                    0,
                    "rax",
                    0,
                    "rbx",
                    1,
                    "rcx",
                    2,
                    "rdx",
                    3,
                    "found",
                    1);
            entry(trace);
            exit(trace, IO_INSTRUCTION, 0xffffa000L);
            trace.hit(0, KVM_USERSPACE_EXIT, "reason", 2);
            trace.hit(0, KVM_PIO, "write", 0, "port", 0x3f8, "size", 1, "count", 1, "value", 0x5a);
            entry(trace);
            exit(trace, PREEMPTION_TIMER, 0xffffb000L);
            entry(trace);
            exit(trace, MSR_WRITE, 0xffffb100L); // no kvm_msr: which MSR?
            entry(trace);
            exit(trace, MSR_WRITE, 0xffffc000L);
            trace.hit(0, KVM_MSR, "write", 1, "msr", 0xc0000100, "value", 0x7000, "fault", 0);
            entry(trace);
            exit(trace, EXTERNAL_INTERRUPT, 0xffffd000L);
            trace.hit(0, KVM_INJ_VIRQ, "vector", 0x23, "soft", 0, "reinjected", 0);
            entry(trace);
            exit(trace, HLT, 0xffffe000L);
            trace.hit(0, KVM_INJ_VIRQ, "vector", 0x24, "soft", 0, "reinjected", 0);
            entry(trace);
        }
        try (TraceSession trace = new TraceSession(directory.resolve("spec"), "cccccccccc", 1)) {
            exit(trace, CPUID, 0xffff9000L);
            trace.hit(0, KVM_CPUID, "function", 0, "index", 0, "found", 1);
            entry(trace);
            exit(
                    trace,
                    MSR_WRITE,
                    0xffffc000); // the first that is not 0: from here on it is passed through
            trace.hit(0, KVM_MSR, "write", 1, "msr", 0x48, "value", 1, "fault", 0);
            entry(trace);
            exit(trace, HLT, 0xffffe000L);
            trace.hit(0, KVM_CR, "write", 1, "cr", 8, "value", 0);
        }
        Path log = directory.resolve("tasks.msrlog.gz");
        try (InputStream text =
                TraceCommandsTest.class.getResourceAsStream(
                        "/trapline/guests/linux-6.1-tasks-2cpu.msrlog.gz")) {
            Files.copy(text, log);
        }
        on("log", "import " + log).expect(ExitCode.DONE);
    }

    private static void exit(TraceSession trace, int reason, long rip) {
        trace.hit(
                0,
                KVM_EXIT,
                "vcpu",
                0,
                "isa",
                TraceSession.VMX,
                "reason",
                reason,
                "rip",
                rip,
                "info1",
                0,
                "info2",
                0,
                "intrInfo",
                0,
                "errorCode",
                0);
    }

    private static void entry(TraceSession trace) {
        trace.hit(0, KVM_ENTRY, "vcpu", 0, "rip", 0);
    }

    private static Ran on(String log, String line) {
        return Ran.line(line + " --log file:" + directory.resolve(log));
    }

    private static JsonNode json(String log, String line) {
        return on(log, line + " --format json").expect(ExitCode.DONE).json();
    }

    /// All but those of FS_BASE and the other MSRs that SVM's 6.1 passes through exit:
    /// `awk '!/^#/ && $5 !~ /^0xc000010[012]$|^0xc000008[1-4]$|^0x17[456]$/' | wc -l` says 156;
    /// `awk '!/^#/ && $4=="wrmsr" && $5=="0xc0000100"' | wc -l` says 988, and 156 + 988 = 1,144.
    @Test
    void countsOfTheRealLogFollowFromItsLines() {
        JsonNode diff =
                json(
                        "log",
                        "diff last --base kvm-6.1 --candidate kvm-6.1,pass-through=-FS_BASE"
                                + " --cpu EPYC-Milan");
        assertEquals(1168, diff.at("/base/guestOps").longValue());
        assertEquals(156, diff.at("/base/exits/total").longValue());
        assertEquals(1144, diff.at("/candidate/exits/total").longValue());
        assertEquals(988, diff.at("/candidate/exits/byMsr/FS_BASE/writes").longValue());
        assertTrue(diff.at("/fidelity/share").isNull());
        assertEquals("none", diff.at("/fidelity/basis").textValue());
        assertEquals("[]", diff.at("/unseen").toString());
        assertEquals(
                1144,
                json("log", "replay last --policy kvm-6.1,pass-through=-FS_BASE --cpu EPYC-Milan")
                        .at("/exits/total")
                        .longValue());
    }

    /// Of eight exits one has no op in the model and one lacks its `kvm_msr`; FS_BASE is passed through by 6.1.
    @Test
    void fidelityHoldsEachExitAgainstTheModel() {
        JsonNode fidelity = json("vmx", "verify last --as kvm-6.1").at("/fidelity");
        assertEquals(8, fidelity.at("/exits").longValue());
        assertEquals(6, fidelity.at("/observed").longValue());
        assertEquals(5, fidelity.at("/predicted").longValue());
        assertEquals(5, fidelity.at("/matched").longValue());
        assertEquals(0.833333, fidelity.at("/share").doubleValue());
        assertEquals(
                """
                {"vcpu":0,"op":4,"order":16,"time":15000,"observed":"MSR_WRITE","predicted":[]}\
                """,
                fidelity.at("/firstMismatch").toString());
        assertEquals(
                """
                [{"reason":"PREEMPTION_TIMER","count":1}]\
                """,
                fidelity.at("/notModelled").toString());
        assertEquals(
                """
                [{"reason":"MSR_WRITE","count":1}]\
                """,
                fidelity.at("/notTold").toString());
        assertEquals(
                """
                {"reason":"MSR_WRITE","observed":2,"predicted":1,"matched":1}\
                """,
                fidelity.at("/byReason/4").toString());
    }

    @Test
    void theFigureIsInEveryDiff() {
        String figure =
                "fidelity of kvm-6.1 on Icelake-Server: 5 of 6 VM exits match, 83.33%;"
                        + " 1 not modelled: PREEMPTION_TIMER 1;"
                        + " 1 not told by the trace: MSR_WRITE 1\n";
        Ran diff = on("vmx", "diff last --base kvm-6.1 --candidate kvm-6.6").expect(ExitCode.DONE);
        assertTrue(diff.out().contains("note: " + figure), diff.out());
        assertTrue(on("vmx", "verify last --as kvm-6.1").out().contains(figure));
        String page = on("vmx", "diff last --base kvm-6.1 --candidate kvm-6.6 --html -").out();
        assertTrue(page.contains(figure.strip()));
        assertTrue(
                page.contains(
                        "trapline diff aaaaaaaaaa --base kvm-6.1 --candidate kvm-6.6 --as kvm-6.1"
                                + " --cpu Icelake-Server"),
                page);
    }

    @Test
    void whatWasPassedThroughIsALowerBound() {
        String line = "diff last --base kvm-6.1 --candidate kvm-6.1,pass-through=-FS_BASE";
        JsonNode diff = json("vmx", line);
        assertEquals(
                """
                [{"msr":"0xc0000100","name":"FS_BASE","access":"read","vcpu":0,"sinceOp":0,\
                "sinceOrder":0,"passedThroughUnder":"kvm-6.1"},\
                {"msr":"0xc0000100","name":"FS_BASE","access":"write","vcpu":0,"sinceOp":0,\
                "sinceOrder":0,"passedThroughUnder":"kvm-6.1"}]\
                """,
                diff.at("/unseen").toString());
        assertEquals(
                """
                {"reads":0,"writes":1,"unseenReads":true,"unseenWrites":true}\
                """,
                diff.at("/candidate/exits/byMsr/FS_BASE").toString());
        assertTrue(
                on("vmx", line + " --html -")
                        .out()
                        .contains(
                                "FS_BASE write, at least: unseen while recorded (passed through under kvm-6.1)"));
        String text = on("vmx", line).expect(ExitCode.DONE).out();
        assertTrue(
                text.contains(
                        "+1  at least: unseen while recorded (passed through under kvm-6.1)\n"),
                text);
        assertEquals(
                "[]",
                json("vmx", "diff last --base kvm-6.1 --candidate kvm-6.6")
                        .at("/unseen")
                        .toString());
    }

    /// Eight exits of an EPYC, one of them an NMI; its EXITINFO1 tells the OUT, whose `kvm_pio` is missing.
    @Test
    void aTraceOfAmdRunsOnAmd() throws IOException {
        Path text = directory.resolve("svm.txt");
        Files.writeString(
                text,
                """
                 CPU 0/KVM-7 [002] d..1. 9.000001: kvm_exit: vcpu 0 reason msr rip 0xffffffff81000010 info1 0x0000000000000001 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] ..... 9.000002: kvm_msr: msr_write 6e0 = 0x1fb1e5ac1f9
                 CPU 0/KVM-7 [002] d..1. 9.000003: kvm_entry: vcpu 0, rip 0xffffffff81000012
                 CPU 0/KVM-7 [002] d..1. 9.000004: kvm_exit: vcpu 0 reason npf rip 0xffffffff81000020 info1 0x000000010000000d info2 0x00000000feb00000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] ..... 9.000005: kvm_mmio: mmio write len 4 gpa 0xfeb00000 val 0x1
                 CPU 0/KVM-7 [002] d..1. 9.000006: kvm_entry: vcpu 0, rip 0xffffffff81000026
                 CPU 0/KVM-7 [002] d..1. 9.000007: kvm_exit: vcpu 0 reason npf rip 0xffffffff81000030 info1 0x0000000100000004 info2 0x0000000000100000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] d..1. 9.000009: kvm_entry: vcpu 0, rip 0xffffffff81000030
                 CPU 0/KVM-7 [002] d..1. 9.000010: kvm_exit: vcpu 0 reason nmi rip 0xffffffff81000040 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] d..1. 9.000011: kvm_entry: vcpu 0, rip 0xffffffff81000040
                 CPU 0/KVM-7 [002] d..1. 9.000012: kvm_exit: vcpu 0 reason interrupt rip 0xffffffff81000050 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] ..... 9.000013: kvm_inj_virq: IRQ 0xec
                 CPU 0/KVM-7 [002] d..1. 9.000014: kvm_entry: vcpu 0, rip 0xffffffff81000050
                 CPU 0/KVM-7 [002] d..1. 9.000015: kvm_exit: vcpu 0 reason cpuid rip 0xffffffff81000060 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] ..... 9.000016: kvm_cpuid: func 7 idx 0 rax 0 rbx 219c97a9 rcx 0 rdx 0, cpuid entry found
                 CPU 0/KVM-7 [002] d..1. 9.000017: kvm_entry: vcpu 0, rip 0xffffffff81000062
                 CPU 0/KVM-7 [002] d..1. 9.000018: kvm_exit: vcpu 0 reason io rip 0xffffffff81000070 info1 0x0000000003f80010 info2 0xffffffff81000071 intr_info 0x00000000 error_code 0x00000000
                 CPU 0/KVM-7 [002] d..1. 9.000019: kvm_entry: vcpu 0, rip 0xffffffff81000071
                 CPU 0/KVM-7 [002] d..1. 9.000020: kvm_exit: vcpu 0 reason hlt rip 0xffffffff81000080 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
                """);
        on("svm", "import " + text).expect(ExitCode.DONE);
        Ran verified = on("svm", "verify last --as kvm-6.1 --format json");
        assertEquals(
                "trapline: taken to have run on EPYC-Milan; --cpu names another\n", verified.err());
        JsonNode fidelity = verified.expect(ExitCode.DONE).json().at("/fidelity");
        assertEquals(8, fidelity.at("/exits").longValue());
        assertEquals(6, fidelity.at("/observed").longValue());
        assertEquals(6, fidelity.at("/matched").longValue());
        assertEquals(
                """
                [{"reason":"nmi","count":1},{"reason":"npf","count":1}]\
                """,
                fidelity.at("/notModelled").toString());
        assertTrue(fidelity.at("/firstMismatch").isNull(), fidelity.toString());
        assertEquals(
                1, json("svm", "replay last --policy kvm-6.1").at("/byPort/0/count").longValue());
    }

    /// The write of SPEC_CTRL is event 6 of the trace and op 2; what came after it left no trace.
    @Test
    void unseenBeginsWhereItWasPassedThrough() {
        String line = "diff last --base kvm-6.1 --candidate kvm-6.1,spec-ctrl=always-intercept";
        assertEquals(
                """
                [{"msr":"0x48","name":"IA32_SPEC_CTRL","access":"read","vcpu":0,"sinceOp":2,\
                "sinceOrder":5,"passedThroughUnder":"kvm-6.1"},\
                {"msr":"0x48","name":"IA32_SPEC_CTRL","access":"write","vcpu":0,"sinceOp":2,\
                "sinceOrder":5,"passedThroughUnder":"kvm-6.1"}]\
                """,
                json("spec", line).at("/unseen").toString());
        assertEquals(
                "[]",
                json("spec", "diff last --base kvm-6.1 --candidate kvm-6.6")
                        .at("/unseen")
                        .toString());
        JsonNode replayed =
                json(
                        "spec",
                        "replay last --policy kvm-6.1,spec-ctrl=always-intercept --as kvm-6.1");
        assertEquals(
                """
                [{"msr":"0x48","name":"IA32_SPEC_CTRL","access":"write","count":1,"unseen":true},\
                {"msr":"0x48","name":"IA32_SPEC_CTRL","access":"read","count":0,"unseen":true}]\
                """,
                replayed.at("/byMsr").toString());
        assertEquals(3, replayed.at("/fidelity/matched").longValue());
    }

    @Test
    void whatTheTraceDidNotShowIsUnknown() {
        JsonNode state = json("spec", "state last");
        assertEquals("root", state.at("/mode").textValue());
        assertEquals("0xffffe000", state.at("/registers/RIP").textValue());
        assertEquals("0x0", state.at("/registers/CR8").textValue());
        assertTrue(state.at("/registers/CR3").isNull());
        assertEquals("{\"IA32_SPEC_CTRL\":\"0x1\"}", state.at("/msrs/guest").toString());
        assertEquals(
                """
                {"order":6,"time":5000,"by":"kvm_msr write"}\
                """,
                state.at("/seenAt/IA32_SPEC_CTRL").toString());
        assertEquals("HLT", state.at("/lastExit/reason").textValue());
        assertTrue(json("spec", "state last --at 1").at("/registers/RIP").isNull());
        assertEquals(
                """
                session    cccccccccc
                vcpu       0
                seq        7
                order      7
                mode       guest
                pcpu       0
                last exit  MSR_WRITE at event 5
                RIP             0x0  event 7, kvm_entry
                IA32_SPEC_CTRL  0x1  event 6, kvm_msr write
                All else is unknown: the trace does not show it.
                """,
                on("spec", "state last --at 7").out());
        assertEquals(
                "vCPU 0 of session cccccccccc has 9 events, not 10",
                on("spec", "state last --at 10").err().replace("trapline: ", "").strip());
    }

    /// Recorded ops are stepped again, byte for byte: in a session that was executed from a trace they are all there is.
    @ParameterizedTest
    @CsvSource({"vmx, 5", "log, 1168"})
    void executedSessionsVerify(String log, long ops) throws IOException {
        Path copy = directory.resolve(log + "-copy");
        Files.createDirectories(copy);
        try (var files = Files.list(directory.resolve(log))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Ran ran = on(log + "-copy", "record --guest last --policy kvm-6.1 --format json");
        assertEquals(ops, ran.expect(ExitCode.DONE).json().at("/sessions/0/guestOps").longValue());
        assertEquals(
                log.equals("vmx"),
                ran.err()
                        .contains(
                                "trapline: left out 1 not modelled: PREEMPTION_TIMER 1;"
                                        + " 1 not told by the trace: MSR_WRITE 1\n"),
                ran.err());
        JsonNode verified = json(log + "-copy", "verify last");
        assertTrue(verified.at("/ok").booleanValue(), verified.toString());
        assertEquals("every event came out again", verified.at("/checks/4/message").textValue());
        Ran executed = on(log + "-copy", "diff last --candidate kvm-6.6");
        executed.expect(ExitCode.DONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | diff last --candidate kvm-6.6 | session aaaaaaaaaa is an imported trace, which"
                        + " says no policy: --base names one to compare with",
                "3 | verify last --as kvm-6.1 --cpu EPYC-Milan | session aaaaaaaaaa was traced on"
                        + " VMX, and EPYC-Milan has SVM",
                "2 | verify last --cpu EPYC-Milan | --cpu: --as names the policy to hold against the"
                        + " trace on it",
                "3 | verify last --as kvm-9 | unknown policy 'kvm-9'",
                "2 | record --guest last --vcpus 2 | --vcpus: session aaaaaaaaaa was traced with 1",
                "3 | record --guest nosuchone | unknown guest 'nosuchone'; built in are",
            })
    void mistakesAreTold(int code, String line, String message) {
        Ran ran = on("vmx", line);
        assertEquals(code, ran.code());
        assertTrue(ran.err().contains(message), ran.err());
    }
}
