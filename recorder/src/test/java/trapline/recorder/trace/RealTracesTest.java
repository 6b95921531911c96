package trapline.recorder.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;

/// The recordings of real kernels: each line is counted, each line tells what it says.
class RealTracesTest {

    private static byte[] bytes(String resource) throws IOException {
        try (InputStream in = RealTracesTest.class.getResourceAsStream("/trapline/" + resource)) {
            return in.readAllBytes();
        }
    }

    private static Seen read(String resource) throws IOException {
        Seen seen = new Seen();
        seen.summary =
                TraceReader.of(new ByteArrayInputStream(bytes(resource)), resource).read(seen);
        return seen;
    }

    /// Each count is `zcat FILE | grep -c ': NAME: '`, the lines are `zcat FILE | wc -l`.
    @Test
    void bootOfLinuxHasTheEventsThatGrepCounts() throws IOException {
        Seen seen = read("traces/linux-6.1-boot.kvm.ftrace.txt.gz");
        assertEquals(TraceFormat.FTRACE, seen.format);
        assertEquals(TraceClock.NANOSECONDS, seen.clock);
        assertEquals(41_096, seen.summary.lines());
        assertEquals(
                Map.of(
                        "kvm_apic", 124L,
                        "kvm_cpuid", 850L,
                        "kvm_inj_exception", 5L,
                        "kvm_mmio", 655L,
                        "kvm_msr", 179L,
                        "kvm_pio", 19_693L,
                        "kvm_userspace_exit", 19_578L),
                seen.summary.parsed());
        assertEquals(Map.of(), seen.summary.skipped());
        assertEquals(List.of(), seen.summary.first());
        assertEquals(List.of(), seen.summary.remarks());
        assertEquals(41_084, seen.hits.size());
    }

    @Test
    void filteringVmmHasTheEventsThatGrepCounts() throws IOException {
        Seen seen = read("traces/msr-filter-vmm.kvm.ftrace.txt.gz");
        assertEquals(895, seen.summary.lines());
        assertEquals(
                Map.of(
                        "kvm_apicv_inhibit_changed", 7L,
                        "kvm_cpuid", 9L,
                        "kvm_emulate_insn", 256L,
                        "kvm_fpu", 374L,
                        "kvm_msr", 10L,
                        "kvm_pio", 15L,
                        "kvm_userspace_exit", 187L,
                        "kvm_write_tsc_offset", 6L),
                seen.summary.parsed());
        assertEquals(
                Map.of("kvm_track_tsc", 6L, "kvm_update_master_clock", 13L),
                seen.summary.skipped());
        assertEquals(List.of(), seen.summary.first());
    }

    /// `zcat FILE | grep -vc '^#'`, and `grep -c wrmsr` of it.
    @Test
    void logsOfAccessesHaveTheLinesThatGrepCounts() throws IOException {
        Seen boot = read("guests/linux-6.1-boot-1cpu.msrlog.gz");
        assertEquals(TraceFormat.MSR_LOG, boot.format);
        assertEquals(127, boot.accesses.size());
        Seen tasks = read("guests/linux-6.1-tasks-2cpu.msrlog.gz");
        assertEquals(1_168, tasks.accesses.size());
        assertEquals(Map.of("msr", 1_168L), tasks.summary.parsed());
        assertEquals(List.of(), tasks.summary.first());
    }

    @Test
    void anAccessTellsAllOfItsLine() throws IOException {
        Seen boot = read("guests/linux-6.1-boot-1cpu.msrlog.gz");
        assertEquals(
                new Seen.Access(
                        0, new MsrLogged(157_431_000, false, 0xc000_0080, 0, 0x1000888, "")),
                boot.accesses.getFirst());
        assertEquals(
                new Seen.Access(
                        0,
                        new MsrLogged(
                                6_807_647_000L,
                                false,
                                0xfe,
                                0x508,
                                0xffff_ffff_8107_37c3L,
                                "native_read_msr+0x3 caller mtrr_bp_init+0xfc")),
                boot.accesses.get(8));
    }

    /// `zcat FILE | grep -v '^#' > plain`: the same without compression.
    @Test
    void compressionChangesNothing() throws IOException {
        byte[] packed = bytes("traces/msr-filter-vmm.kvm.ftrace.txt.gz");
        byte[] plain = new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes();
        assertEquals(Seen.of(packed).hits, Seen.of(plain).hits);
    }

    @Test
    void linesOfHostsTellWhatTheySay() throws IOException {
        Seen seen = read("traces/kvm-exit-samples.txt");
        assertEquals(List.of(), seen.summary.first());
        assertEquals(SAMPLES, seen.hits.stream().map(RealTracesTest::line).toList());
    }

    private static String line(Seen.Hit hit) {
        return "%d [%d] %d %s".formatted(hit.thread(), hit.cpu(), hit.time() / 1000, hit.text());
    }

    /// By hand, a line each: thread, CPU, microseconds, and what the text says. VMX is 1, SVM 2; EXTERNAL_INTERRUPT is
    /// 1, IO_INSTRUCTION 30, EXCEPTION_NMI 0, EPT_VIOLATION 48, SVM's msr 0x7c. A line without a time has the last one
    /// of its CPU.
    private static final List<String> SAMPLES =
            """
            5665 [0] 280971121 kvm_exit isa=0x1 reason=0x1 rip=0x22da info1=0x0 info2=0x800000fd
            5665 [0] 280971122 kvm_entry vcpu=0x0 rip=0x22da
            5665 [0] 280971126 kvm_exit isa=0x1 reason=0x1e rip=0x110c8c info1=0x640008 info2=0x0
            24797 [3] 83184290326 kvm_entry vcpu=0x0
            24797 [3] 83184290332 kvm_exit isa=0x1 reason=0x1 rip=0x100 info1=0x0 info2=0x800000f6
            24797 [3] 83184290341 kvm_userspace_exit reason=0x2
            24797 [3] 83184290381 kvm_pio write=0x0 port=0xe9 size=0x1 count=0x1 value=0x32
            18971 [15] 95922997039 kvm_exit vcpu=0x0 isa=0x1 reason=0x0 rip=0xfd0bd info1=0x0 info2=0x413 intrInfo=0x80000306 errorCode=0x0
            18971 [15] 95922997133 kvm_entry vcpu=0x0 rip=0xf7d6b
            1289 [19] 140314684 kvm_exit vcpu=0x0 isa=0x1 reason=0x0 rip=0x1 info1=0x4000 info2=0x0 intrInfo=0x80000301 errorCode=0x0
            1289 [19] 140314685 kvm_nested_vmexit vcpu=0x0 isa=0x1 reason=0x0 rip=0x1 info1=0x4000 info2=0x0 intrInfo=0x80000301 errorCode=0x0
            1289 [19] 140314688 kvm_inj_exception exception=0x1 hasError=0x0 reinjected=0x0
            2779478 [77] 1820822383974 kvm_entry vcpu=0x0
            2779478 [77] 1820822383989 kvm_exit vcpu=0x0 isa=0x1 reason=0x30 rip=0x5a1b20 info1=0x384 info2=0x0
            599500 [39] 1377662550600 kvm_entry vcpu=0x1 rip=0xffffffff81036706
            2335220 [69] 12345679150 kvm_entry vcpu=0x1 rip=0xffffffff81036706
            2335220 [69] 12345679200 kvm_exit isa=0x1 reason=0x1 rip=0xffffffff81036706 info1=0x0
            2335220 [69] 12345679300 kvm_msr write=0x1 msr=0x6e0 value=0x1fb1e5ac1f9 fault=0x0
            82557 [2] 0 kvm_exit vcpu=0x0 isa=0x2 reason=0x7c rip=0xffffffffad496104
            23298 [0] 1745380821 kvm_msr write=0x0 msr=0x3a value=0x0 fault=0x1
            5949 [1] 2756226753 kvm_msr write=0x1 msr=0xc0000101 value=0xffff888004800000 fault=0x0
            """
                    .lines()
                    .toList();

    @Test
    void tasksOfHostsHaveTheirNames() throws IOException {
        assertEquals(
                List.of(
                        "qemu-system-x86",
                        "challenge",
                        "qemu-system-x86",
                        "repro",
                        "fc_vcpu 0",
                        "fc_vcpu 1",
                        "fc_vcpu 1",
                        "CPU 0/KVM",
                        "qemu-system-x86",
                        "qemu-system-x86"),
                read("traces/kvm-exit-samples.txt").threads.stream()
                        .map(t -> t.command())
                        .toList());
    }
}
