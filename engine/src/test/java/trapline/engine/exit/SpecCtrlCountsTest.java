package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.table.Msrs;

/// How often each variant exits for SPEC_CTRL, and what it costs in accesses by the hypervisor itself.
///
/// The program has N = 14 exits that have nothing to do with SPEC_CTRL (CPUID), W = 3 writes of it and one
/// read. By hand, `c` for CPUID, `w` for a write, `r` for the read:
///
/// ```
/// op              c c | w=1 | c c c | w=5 | c c c c | r | w=1 | c c c c c
/// guest's value   0 0 |  →1 | 1 1 1 |  →5 | 5 5 5 5 | 5 |  →1 | 1 1 1 1 1
/// ```
///
/// FACTS 1.4 and 1.8: with a host value h, entry writes the MSR where the guest's value is not h, and so does
/// exit (with KERNEL_IBRS exit always does); exit reads it where writes are passed through. FACTS 1.2: an
/// emulated write is tried on the host, which is one read and two writes. There is one entry more than
/// there are exits, the first one, with value 0.
///
/// *Never passed through*: 14 + 3 + 1 = 18 exits; no read at exit; 3 reads and 6 writes to try values. The guest's
/// value at the 19 entries is 3 × 0 (start, c c), 10 × 1 (w, c c c, w, 5 × c), 6 × 5 (w, c c c c, r); at the 18
/// exits 3 × 0 (c c w), 9 × 1 (c c c w, 5 × c), 6 × 5 (c c c c r w).
///
/// *Passed through from the start*: 14 exits, each with a read; nothing tried. 15 entries: 3 × 0, 8 × 1, 4 × 5; exits
/// 2 × 0, 8 × 1, 4 × 5.
///
/// *From the first write on*: c c w and 12 × c exit, 15; 12 reads at exit; 1 read and 2 writes tried. 16 entries: 3 × 0,
/// 9 × 1 (w, c c c, 5 × c), 4 × 5; exits 3 × 0 (c c w), 8 × 1, 4 × 5.
///
/// *From the write of 5 on*: c c w c c c w and 9 × c exit, 16; 9 reads at exit; 2 reads and 4 writes tried. 17 entries: 3 × 0,
/// 9 × 1 (w, c c c, 5 × c), 5 × 5 (w, c c c c); exits 3 × 0 (c c w), 9 × 1 (c c c w, 5 × c), 4 × 5.
class SpecCtrlCountsTest {

    private static final String PROGRAM =
            """
            - repeat: 2
              do: [ {cpuid: {leaf: 1}} ]
            - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
            - repeat: 3
              do: [ {cpuid: {leaf: 1}} ]
            - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
            - repeat: 4
              do: [ {cpuid: {leaf: 1}} ]
            - rdmsr: IA32_SPEC_CTRL
            - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
            - repeat: 5
              do: [ {cpuid: {leaf: 1}} ]
            """;

    private static final List<String> BASES =
            List.of("kvm-5.4", "kvm-5.15", "kvm-6.1", "kvm-6.6", "kvm-6.12", "kvm-6.18", "kvm-7.1");

    /// @param saves reads after exit
    /// @param tried reads to try a value; writes are twice as many
    /// @param loads writes before entry
    /// @param restores writes after exit
    record Counts(long exits, long saves, long tried, long loads, long restores) {

        static Counts of(Recording recording) {
            return new Counts(
                    recording.exits(),
                    recording.hostReads(Msrs.SPEC_CTRL, HostCause.EXIT_SAVE),
                    recording.hostReads(Msrs.SPEC_CTRL, HostCause.VALUE_CHECK),
                    recording.hostWrites(Msrs.SPEC_CTRL, HostCause.ENTRY_LOAD),
                    recording.hostWrites(Msrs.SPEC_CTRL, HostCause.EXIT_RESTORE));
        }
    }

    /// When the guest gets the MSR, and which exits and entries that leaves.
    enum Lifted {
        NEVER(18, 0, 3, new int[] {3, 10, 6}, new int[] {3, 9, 6}),
        FROM_THE_START(14, 14, 0, new int[] {3, 8, 4}, new int[] {2, 8, 4}),
        AT_FIRST_WRITE(15, 12, 1, new int[] {3, 9, 4}, new int[] {3, 8, 4}),
        AT_SECOND_WRITE(16, 9, 2, new int[] {3, 9, 5}, new int[] {3, 9, 4});

        private final int exits;
        private final int saves;
        private final int tried;
        private final int[] entriesByValue;
        private final int[] exitsByValue;

        Lifted(int exits, int saves, int tried, int[] entriesByValue, int[] exitsByValue) {
            this.exits = exits;
            this.saves = saves;
            this.tried = tried;
            this.entriesByValue = entriesByValue;
            this.exitsByValue = exitsByValue;
        }

        Counts on(long host, boolean always) {
            int loads = 0;
            int restores = 0;
            long[] values = {0, 1, 5};
            for (int i = 0; i < 3; i++) {
                loads += values[i] == host ? 0 : entriesByValue[i];
                restores += always || values[i] != host ? exitsByValue[i] : 0;
            }
            return new Counts(exits, saves, tried, loads, restores);
        }
    }

    record Row(String cpu, String guestCpu, String policy, Counts counts) {
        @Override
        public String toString() {
            return cpu + " " + guestCpu + " " + policy;
        }
    }

    /// FACTS 1.7: v1 and v2 ask the host for eIBRS, v3 and v4 what the guest is shown.
    private static Lifted lifted(String variant, boolean hostEibrs, boolean guestIbrsAll) {
        return switch (variant) {
            case "always-intercept" -> Lifted.NEVER;
            case "always-passthrough" -> Lifted.FROM_THE_START;
            case "v1", "v2" -> hostEibrs ? Lifted.AT_SECOND_WRITE : Lifted.AT_FIRST_WRITE;
            case "v3", "v4" -> guestIbrsAll ? Lifted.AT_SECOND_WRITE : Lifted.AT_FIRST_WRITE;
            default -> Lifted.AT_FIRST_WRITE;
        };
    }

    private static final List<String> VARIANTS =
            List.of(
                    "always-intercept",
                    "always-passthrough",
                    "first-nonzero",
                    "v1",
                    "v2",
                    "v3",
                    "v4");

    /// The platforms on which software switches the MSR: h and KERNEL_IBRS of FACTS 7a.
    static Stream<Row> switchedBySoftware() {
        List<Row> rows = new ArrayList<>();
        for (String base : BASES) {
            boolean asm = !base.equals("kvm-5.4") && !base.equals("kvm-5.15");
            rows.addAll(rows("Broadwell", "{}", base, 0, false, false, false));
            rows.addAll(rows("Broadwell", "{ibrs-all: true}", base, 0, false, false, true));
            // 5.4 restores where the values differ, and knows no KERNEL_IBRS.
            boolean kernelIbrs = !base.equals("kvm-5.4");
            rows.addAll(rows("Skylake-Server", "{}", base, 1, kernelIbrs, false, false));
            rows.addAll(rows("Icelake-Server", "{}", base, 1, false, true, true));
            rows.addAll(rows("Icelake-Server", "{ibrs-all: false}", base, 1, false, true, false));
            // BHI_DIS_S in the host from 6.1.192 on.
            rows.addAll(rows("SapphireRapids", "{}", base, asm ? 0x401 : 1, false, true, true));
            rows.addAll(rows("EPYC-Rome,v-spec-ctrl=false", "{}", base, 0, false, false, false));
            rows.addAll(
                    rows(
                            "EPYC-Rome,v-spec-ctrl=false",
                            "{ibrs-all: true}",
                            base,
                            0,
                            false,
                            false,
                            true));
            // Automatic IBRS is eIBRS to the host, but nothing that ARCH_CAPABILITIES shows a
            // guest.
            rows.addAll(rows("EPYC-Genoa,v-spec-ctrl=false", "{}", base, 0, false, true, false));
        }
        return rows.stream();
    }

    private static List<Row> rows(
            String cpu,
            String guestCpu,
            String base,
            long host,
            boolean always,
            boolean hostEibrs,
            boolean guestIbrsAll) {
        List<Row> rows = new ArrayList<>();
        for (String variant : VARIANTS) {
            Counts counts = lifted(variant, hostEibrs, guestIbrsAll).on(host, always);
            rows.add(new Row(cpu, guestCpu, base + ",spec-ctrl=" + variant, counts));
        }
        Counts plain = lifted("first-nonzero", hostEibrs, guestIbrsAll).on(host, always);
        rows.add(new Row(cpu, guestCpu, base, plain));
        return rows;
    }

    @ParameterizedTest
    @MethodSource("switchedBySoftware")
    void countsWhereSoftwareSwitches(Row row) {
        assertEquals(row.counts(), Counts.of(run(row)));
    }

    /// FACTS 1.8: the processor switches the MSR, and KVM touches it neither before nor after a run. It is passed
    /// through when the VMCB is made, so that only the 14 CPUIDs exit; a policy that never passes it
    /// through still exits and still tries values.
    static Stream<Row> switchedByProcessor() {
        List<Row> rows = new ArrayList<>();
        for (String base : BASES.subList(1, BASES.size())) {
            for (String cpu : List.of("EPYC-Rome", "EPYC-Milan", "EPYC-Genoa", "EPYC-Turin")) {
                for (String variant : VARIANTS) {
                    Counts counts =
                            variant.equals("always-intercept")
                                    ? new Counts(18, 0, 3, 0, 0)
                                    : new Counts(14, 0, 0, 0, 0);
                    rows.add(new Row(cpu, "{}", base + ",spec-ctrl=" + variant, counts));
                }
            }
        }
        return rows.stream();
    }

    @ParameterizedTest
    @MethodSource("switchedByProcessor")
    void countsWhereProcessorSwitches(Row row) {
        assertEquals(row.counts(), Counts.of(run(row)));
    }

    /// 5.4 does not know V_SPEC_CTRL: it does all that it does elsewhere. After the first write the guest's own
    /// writes go to the processor's copy, and what KVM reads back is what it loaded: 1, not h = 0, at all
    /// entries and exits from there on.
    @ParameterizedTest
    @MethodSource("milanUnder54")
    void treeThatKnowsNoVirtualSpecCtrlSwitchesAllTheSame(Row row) {
        assertEquals(row.counts(), Counts.of(run(row)));
    }

    static Stream<Row> milanUnder54() {
        return Stream.of("EPYC-Rome", "EPYC-Milan", "EPYC-Genoa")
                .map(cpu -> new Row(cpu, "{}", "kvm-5.4", Lifted.AT_FIRST_WRITE.on(0, false)));
    }

    /// Naples: neither the MSR nor a CPUID bit for it. The gate of FACTS 1.2 comes first, so that nothing is tried: all 4
    /// accesses exit and fault, each then enters again. No entry or exit touches the MSR.
    @ParameterizedTest
    @MethodSource("bases")
    void platformWithoutTheMsrFaultsAndSwitchesNothing(String base) {
        Recording recording = VcpuScenario.on("EPYC").under(base).run(PROGRAM);
        assertEquals(new Counts(18, 0, 0, 0, 0), Counts.of(recording));
        assertEquals(0, recording.all(HostMsrFaulted.class).size());
    }

    static List<String> bases() {
        return BASES;
    }

    private static Recording run(Row row) {
        return VcpuScenario.on(row.cpu()).guestCpu(row.guestCpu()).under(row.policy()).run(PROGRAM);
    }
}
