package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Kvm;
import trapline.engine.table.Msrs;

/// Policies that go by how often the guest writes SPEC_CTRL, and by more values than one.
///
/// FACTS 1.7: an intercepted write by the guest is quick if fewer than 20 exits, its own among them, passed
/// since the one before; the tenth quick one in a row passes the MSR through; 100,000 exits after that it is
/// intercepted again. The first write of all is compared with exit 0.
class SpecCtrlAdaptiveTest {

    private static final String ROME = "EPYC-Rome,v-spec-ctrl=false";

    private static Recording run(String cpu, String variant, String program) {
        return VcpuScenario.on(cpu).under("kvm-6.1,spec-ctrl=" + variant).run(program);
    }

    /// Exits besides the write in each round, so that writes are one more than that apart; 30 rounds.
    ///
    /// Quick from the first on: 10 writes exit and 20 do not. The first late: it counts for nothing, 11 exit.
    /// 20 apart is not quick, 19 is.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, adaptive, 1, 10",
        "Icelake-Server, adaptive, 18, 10",
        "Icelake-Server, adaptive, 19, 30",
        "Icelake-Server, adaptive-200, 19, 10",
        "Icelake-Server, adaptive-200, 198, 10",
        "Icelake-Server, adaptive-200, 199, 30",
        "EPYC-Rome;v-spec-ctrl=false, adaptive, 18, 10",
        "EPYC-Rome;v-spec-ctrl=false, adaptive, 19, 30",
        "EPYC-Rome;v-spec-ctrl=false, adaptive-200, 198, 10",
        "EPYC-Rome;v-spec-ctrl=false, adaptive-as-posted, 18, 10",
        "Icelake-Server, adaptive-as-posted, 1, 30"
    })
    void passesThroughWhatIsWrittenOften(String cpu, String variant, int others, int writes) {
        Recording recording =
                run(
                        cpu.replace(';', ','),
                        variant,
                        """
                        - repeat: 30
                          do:
                            - repeat: %d
                              do: [ {cpuid: {leaf: 1}} ]
                            - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
                        """
                                .formatted(others));
        assertEquals(30L * others + writes, recording.exits());
        // A read after each exit since the last write that exited.
        long saves = writes == 30 ? 0 : (30L - writes) * others;
        assertEquals(saves, recording.hostReads(Msrs.SPEC_CTRL, HostCause.EXIT_SAVE));
    }

    /// A slow write in the middle starts the count anew: 9 quick ones, a slow one, 10 quick ones.
    @Test
    void countsAnewAfterASlowWrite() {
        Recording recording =
                run(
                        "Icelake-Server",
                        "adaptive",
                        """
                        - repeat: 9
                          do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 1}} ]
                        - repeat: 19
                          do: [ {cpuid: {leaf: 1}} ]
                        - repeat: 30
                          do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 1}} ]
                        """);
        assertEquals(9 + 19 + 1 + 10, recording.exits());
    }

    /// Writes of 0 count as all others do: it is how often, not what.
    @Test
    void passesThroughWritesOfZero() {
        Recording recording =
                run(
                        "Icelake-Server",
                        "adaptive",
                        """
                        - repeat: 20
                          do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 0}} ]
                        """);
        assertEquals(10, recording.exits());
    }

    /// 10 writes exit; the exit that is the 100,000th after the last of them ends it, having read once more.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, 99999, 0",
        "Icelake-Server, 100000, 1",
        "EPYC-Rome;v-spec-ctrl=false, 99999, 0",
        "EPYC-Rome;v-spec-ctrl=false, 100000, 1"
    })
    void interceptsAgain(String cpu, int others, int more) {
        Recording recording =
                run(
                        cpu.replace(';', ','),
                        "adaptive",
                        """
                        - repeat: 10
                          do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 5}} ]
                        - repeat: %d
                          do: [ {cpuid: {leaf: 1}} ]
                        - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                        """
                                .formatted(others));
        assertEquals(10 + others + more, recording.exits());
        assertEquals(others, recording.hostReads(Msrs.SPEC_CTRL, HostCause.EXIT_SAVE));
        assertEquals(more == 0 ? 10 : 1, recording.vcpu().kvm(Kvm.QUICK_WRITES));
    }

    /// As mailed, VMX counts userspace's writes and no others; SVM has it right.
    @Test
    void countsUserspaceOnVmxAsPosted() {
        String program =
                """
                - repeat: 10
                  do: [ {host-write: {msr: IA32_SPEC_CTRL, value: 1}} ]
                - repeat: 5
                  do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 1}} ]
                """;
        assertEquals(0, run("Icelake-Server", "adaptive-as-posted", program).exits("MSR_WRITE"));
        assertEquals(5, run("Icelake-Server", "adaptive", program).exits("MSR_WRITE"));
        assertEquals(5, run(ROME, "adaptive-as-posted", program).exits("msr"));
    }

    /// Where the processor switches the MSR itself, it is passed through from the start.
    @Test
    void hasNoEffectWithVSpecCtrl() {
        Recording recording =
                run(
                        "EPYC-Milan",
                        "adaptive",
                        """
                        - repeat: 20
                          do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: 1}} ]
                        - repeat: 5
                          do: [ {cpuid: {leaf: 1}} ]
                        """);
        assertEquals(5, recording.exits());
    }

    /// IBRS with RRSBA_DIS_S, which a guest sets once, lifts interception under v4 but not where that is known.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, '{}', 0x41, v4, 1",
        "SapphireRapids, '{}', 0x41, rrsba-aware, 10",
        "SapphireRapids, '{}', 0x01, rrsba-aware, 10",
        "SapphireRapids, '{}', 0x45, rrsba-aware, 1",
        "SapphireRapids, '{ibrs-all: false}', 0x41, rrsba-aware, 1"
    })
    void knowsRrsba(String cpu, String guestCpu, String value, String variant, int exits) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .guestCpu(guestCpu)
                        .under("kvm-6.1,spec-ctrl=" + variant)
                        .run(
                                """
                                - repeat: 10
                                  do: [ {wrmsr: {msr: IA32_SPEC_CTRL, value: %s}} ]
                                """
                                        .formatted(value));
        assertEquals(exits, recording.exits());
    }
}
