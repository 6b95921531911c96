package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Outcome;

/// PRED_CMD and FLUSH_CMD by tree: FACTS 1.5.
class CommandMsrsTest {

    private static final String IBPB = "- wrmsr: {msr: IA32_PRED_CMD, value: 1}\n";
    private static final String FLUSH = "- wrmsr: {msr: IA32_FLUSH_CMD, value: 1}\n";

    /// To 6.1: the first non-zero write exits, is carried out and lifts interception of writes. From 6.6: lifted when CPUID is
    /// set, so none exits.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-5.4, 1",
        "Icelake-Server, kvm-5.15, 1",
        "Icelake-Server, kvm-6.1, 1",
        "Icelake-Server, kvm-6.6, 0",
        "Icelake-Server, kvm-6.12, 0",
        "Icelake-Server, kvm-6.18, 0",
        "Icelake-Server, kvm-7.1, 0",
        "EPYC-Milan, kvm-5.4, 1",
        "EPYC-Milan, kvm-5.15, 1",
        "EPYC-Milan, kvm-6.1, 1",
        "EPYC-Milan, kvm-6.6, 0",
        "EPYC-Milan, kvm-6.12, 0",
        "EPYC-Milan, kvm-6.18, 0",
        "EPYC-Milan, kvm-7.1, 0",
        "EPYC, kvm-6.1, 1",
        "EPYC, kvm-7.1, 0"
    })
    void passesPredCmdThrough(String cpu, String policy, int exits) {
        Recording recording = VcpuScenario.on(cpu).under(policy).run(IBPB + IBPB + IBPB);
        assertEquals(exits, recording.exits());
        assertEquals(exits, recording.hostWrites(0x49, HostCause.GUEST_WRITE));
        MsrInterceptChanged lifted =
                recording.only(MsrInterceptChanged.class, e -> e.msr() == 0x49);
        assertEquals(new MsrInterceptChanged(1, 0x49, true, false), lifted);
        assertEquals(List.of(Outcome.DONE, Outcome.DONE, Outcome.DONE), recording.outcomes());
    }

    /// 0 has no effect: nothing is written, nothing lifted.
    @Test
    void predCmdOfZeroDoesNothing() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- wrmsr: {msr: 0x49, value: 0}\n" + IBPB);
        assertEquals(2, recording.exits());
        assertEquals(1, recording.hostWrites(0x49, HostCause.GUEST_WRITE));
    }

    /// The handler's rules, asked through a policy that has the tree's checks but lifts interception at the first write.
    @ParameterizedTest
    @CsvSource({
        // To 6.1 any bit other than IBPB fails, whatever the host has; later, Genoa's guest may use
        // SBPB.
        "Icelake-Server, kvm-6.1, {}, 0x2, GP",
        "Icelake-Server, kvm-6.1, {}, 0x80, GP",
        "EPYC-Genoa, kvm-6.1, {}, 0x80, GP",
        "EPYC-Genoa, kvm-6.6, {}, 0x80, DONE",
        "EPYC-Genoa, kvm-6.6, {}, 0x81, DONE",
        "EPYC-Genoa, kvm-6.6, {}, 0x2, GP",
        // SBPB is reserved for a guest that is not shown it, and where the host lacks it.
        "EPYC-Genoa, kvm-6.6, {sbpb: false}, 0x80, GP",
        "EPYC-Milan, kvm-6.6, {sbpb: true}, 0x80, GP",
        // The gate: SPEC_CTRL or AMD_IBPB; SBPB alone from 6.18 on, and then IBPB stays reserved.
        "EPYC-Genoa, kvm-6.6, {ibpb: false}, 0x80, GP",
        "EPYC-Genoa, kvm-6.18, {ibpb: false}, 0x80, DONE",
        "EPYC-Genoa, kvm-6.18, {ibpb: false}, 0x1, GP",
        "EPYC-Genoa, kvm-6.18, {ibpb: false}, 0x0, DONE",
        "EPYC-Genoa, kvm-6.12, {ibpb: false}, 0x0, GP",
        "EPYC-Genoa, kvm-6.18, '{ibpb: false, sbpb: false}', 0x0, GP",
        "'Icelake-Server,spec-ctrl=false', kvm-6.1, {ibpb: true}, 0x1, GP",
        "'Icelake-Server,spec-ctrl=false', kvm-6.1, {ibpb: true}, 0x0, GP",
        "'Icelake-Server,spec-ctrl=false', kvm-6.6, {ibpb: true}, 0x1, GP",
        "'Icelake-Server,spec-ctrl=false', kvm-6.6, {ibpb: true}, 0x0, DONE"
    })
    void judgesPredCmdValues(
            String cpu, String base, String guestCpu, String value, Outcome outcome) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .file(
                                "extends: %s\npred-cmd: {pass-through: after-first-write}\n"
                                        .formatted(base))
                        .guestCpu(guestCpu)
                        .run("- wrmsr: {msr: 0x49, value: %s}\n".formatted(value));
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
        assertEquals(1, recording.exits());
    }

    /// Once passed through the hardware judges: it takes a bit that the guest was never shown.
    @Test
    void hardwareTakesWhatTheGuestIsNotShown() {
        Recording recording =
                VcpuScenario.on("EPYC-Genoa")
                        .under("kvm-6.6")
                        .guestCpu("{sbpb: false}")
                        .run("- wrmsr: {msr: 0x49, value: 0x80}\n- wrmsr: {msr: 0x49, value: 2}\n");
        assertEquals(List.of(Outcome.DONE, Outcome.GP), recording.outcomes());
        assertEquals(0, recording.exits());
    }

    @ParameterizedTest
    @CsvSource({
        "kvm-6.1, 0x1, DONE",
        "kvm-6.1, 0x2, GP",
        "kvm-6.6, 0x1, DONE",
        "kvm-6.6, 0x80, DONE",
        "kvm-6.6, 0x3, GP"
    })
    void userspaceNeedsNoCpuidForPredCmd(String policy, String value, Outcome outcome) {
        Recording recording =
                VcpuScenario.on("EPYC-Genoa")
                        .under(policy)
                        .guestCpu("{ibpb: false, sbpb: false}")
                        .run("- host-write: {msr: 0x49, value: %s}\n".formatted(value));
        assertEquals(outcome, recording.only(UserspaceMsrStored.class).outcome());
        assertEquals(
                outcome == Outcome.DONE ? 1 : 0, recording.hostWrites(0x49, HostCause.GUEST_WRITE));
    }

    /// A command leaves nothing behind that a read could find: reads of both always fault.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "kvm-5.4",
                "kvm-6.1",
                "kvm-6.6",
                "kvm-7.1",
                "kvm-6.6,pass-through=+IA32_PRED_CMD+IA32_FLUSH_CMD"
            })
    void readsOfCommandsFault(String policy) {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .under(policy)
                        .run(IBPB + FLUSH + "- rdmsr: 0x49\n- rdmsr: 0x10b\n");
        assertEquals(
                List.of(Outcome.GP, Outcome.GP),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::outcome).toList());
        assertEquals(0, recording.machine().pcpu(0).msr(0x49));
    }

    /// Before 6.6 there is no FLUSH_CMD. Since then it is passed through when CPUID is set, where host and guest have it.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-5.4, {}, GP, 1",
        "Icelake-Server, kvm-6.1, {}, GP, 1",
        "Icelake-Server, kvm-6.1, {flush-l1d: true}, GP, 1",
        "Icelake-Server, kvm-6.6, {}, DONE, 0",
        "Icelake-Server, kvm-7.1, {}, DONE, 0",
        "Icelake-Server, kvm-6.6, {flush-l1d: false}, GP, 1",
        "EPYC-Milan, kvm-6.6, {}, GP, 1",
        "EPYC-Milan, kvm-6.6, {flush-l1d: true}, GP, 1"
    })
    void flushCmdByTree(String cpu, String policy, String guestCpu, Outcome outcome, int exits) {
        Recording recording = VcpuScenario.on(cpu).under(policy).guestCpu(guestCpu).run(FLUSH);
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
        assertEquals(exits, recording.exits());
        assertEquals(
                outcome == Outcome.DONE
                        ? List.of(new MsrInterceptChanged(1, 0x10b, true, false))
                        : List.of(),
                recording.all(MsrInterceptChanged.class, e -> e.msr() == 0x10b));
    }

    /// Other bits than L1D_FLUSH fail, in the handler as in the hardware.
    @ParameterizedTest
    @CsvSource({"0x0, DONE, 0", "0x1, DONE, 1", "0x2, GP, 0", "0x3, GP, 0"})
    void judgesFlushCmdValues(String value, Outcome outcome, int written) {
        String write = "- %s: {msr: 0x10b, value: %s}\n";
        Recording hardware =
                VcpuScenario.on("Icelake-Server")
                        .under("kvm-6.6")
                        .run(write.formatted("wrmsr", value));
        assertEquals(outcome, hardware.only(MsrWritten.class).outcome());
        Recording handler =
                VcpuScenario.on("Icelake-Server")
                        .under("kvm-6.6")
                        .run(write.formatted("host-write", value));
        assertEquals(outcome, handler.only(UserspaceMsrStored.class).outcome());
        assertEquals(written, handler.hostWrites(0x10b, HostCause.GUEST_WRITE));
    }
}
