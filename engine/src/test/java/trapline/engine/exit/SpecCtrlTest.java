package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.table.Msrs;

/// IA32_SPEC_CTRL beyond its counts: who may access it, what values are valid, what userspace's writes do.
class SpecCtrlTest {

    private static final String WRITE_1 = "- wrmsr: {msr: 0x48, value: 1}\n";

    /// FACTS 1.2: the host MSR is read, the value written, the old one put back, in this order.
    @Test
    void triesValueOnTheHost() {
        Recording recording = VcpuScenario.on("Icelake-Server").run(WRITE_1);
        List<Event> tried =
                recording.events().stream()
                        .filter(e -> e instanceof HostMsrRead || e instanceof HostMsrWritten)
                        .filter(e -> e.toString().contains("VALUE_CHECK"))
                        .toList();
        assertEquals(
                List.of(
                        new HostMsrRead(0x48, 1, HostCause.VALUE_CHECK),
                        new HostMsrWritten(0x48, 1, HostCause.VALUE_CHECK),
                        new HostMsrWritten(0x48, 1, HostCause.VALUE_CHECK)),
                tried);
    }

    /// Bit 10 needs BHI_CTRL, which Broadwell lacks: the read succeeds, the write faults, nothing is put back.
    @Test
    void faultsOnValueThatTheHostRefuses() {
        Recording recording =
                VcpuScenario.on("Broadwell").run("- wrmsr: {msr: 0x48, value: 0x400}\n");
        assertEquals(Outcome.GP, recording.only(MsrWritten.class).outcome());
        assertEquals(1, recording.hostReads(0x48, HostCause.VALUE_CHECK));
        assertEquals(0, recording.hostWrites(0x48, HostCause.VALUE_CHECK));
        assertEquals(
                new HostMsrFaulted(0x48, true, 0x400, HostCause.VALUE_CHECK),
                recording.only(HostMsrFaulted.class));
        assertEquals(0, recording.intercepts(1, 0x48));
        assertEquals(0, recording.vcpu().kvm(Kvm.SPEC_CTRL));
    }

    /// FACTS 1.2 (a), (b): the physical CPU decides, not the guest's CPUID.
    @Test
    void acceptsBitThatTheGuestIsNotShown() {
        Recording recording =
                VcpuScenario.on("SapphireRapids")
                        .guestCpu("{bhi-ctrl: false, rrsba-ctrl: false, ipred-ctrl: false}")
                        .run("- wrmsr: {msr: 0x48, value: 0x459}\n");
        assertEquals(Outcome.DONE, recording.only(MsrWritten.class).outcome());
        assertEquals(0x459, recording.vcpu().kvm(Kvm.SPEC_CTRL));
    }

    /// ... and a bit that the guest is shown, but the silicon lacks, faults.
    @Test
    void refusesBitThatOnlyTheGuestIsShown() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .guestCpu("{bhi-ctrl: true}")
                        .run("- wrmsr: {msr: 0x48, value: 0x400}\n");
        assertEquals(Outcome.GP, recording.only(MsrWritten.class).outcome());
    }

    /// FACTS 1.2 (c): on a host without the MSR even 0 fails, at the read.
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4})
    void faultsAtTheReadOnHostWithoutTheMsr(long value) {
        Recording recording =
                VcpuScenario.on("EPYC")
                        .guestCpu("{amd-ssbd: true}")
                        .run("- wrmsr: {msr: 0x48, value: %d}\n".formatted(value));
        assertEquals(Outcome.GP, recording.only(MsrWritten.class).outcome());
        assertEquals(
                new HostMsrFaulted(0x48, false, 0, HostCause.VALUE_CHECK),
                recording.only(HostMsrFaulted.class));
    }

    /// FACTS 1.2: any one of four CPUID bits opens the gate; none faults before anything is tried.
    @ParameterizedTest
    @CsvSource({
        "spec-ctrl,DONE",
        "amd-stibp,DONE",
        "ibrs,DONE",
        "amd-ssbd,DONE",
        "stibp,GP",
        "ssbd,GP",
        "ibpb,GP"
    })
    void gateAsksFourCpuidBits(String property, Outcome outcome) {
        String none =
                "spec-ctrl: false, amd-stibp: false, ibrs: false, amd-ssbd: false, "
                        + "stibp: false, ssbd: false, ibpb: false, ";
        String properties = none.replace(" " + property + ": false,", "");
        if (property.equals("spec-ctrl")) {
            properties = properties.substring("spec-ctrl: false,".length());
        }
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .guestCpu("{" + properties + property + ": true}")
                        .run("- rdmsr: 0x48\n- wrmsr: {msr: 0x48, value: 1}\n");
        assertEquals(List.of(outcome, outcome), recording.outcomes());
        assertEquals(
                outcome == Outcome.DONE ? 1 : 0, recording.hostReads(0x48, HostCause.VALUE_CHECK));
    }

    /// The gate does not hold for userspace.
    @Test
    void userspaceWritesWithoutTheCpuidBits() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .guestCpu(
                                "{spec-ctrl: false, amd-stibp: false, ibrs: false, amd-ssbd: false}")
                        .run("- host-write: {msr: 0x48, value: 1}\n- rdmsr: 0x48\n");
        assertEquals(Outcome.DONE, recording.only(UserspaceMsrStored.class).outcome());
        // The write lifted interception, so that the gate no longer stands in the guest's way.
        assertEquals(Outcome.DONE, recording.only(MsrReadBack.class).outcome());
        assertEquals(1, recording.only(MsrReadBack.class).value());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Rome,v-spec-ctrl=false"})
    void readThatExitsGivesWhatWasWrittenLast(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-6.1,spec-ctrl=always-intercept")
                        .run(
                                """
                                - rdmsr: 0x48
                                - wrmsr: {msr: 0x48, value: 5}
                                - rdmsr: 0x48
                                - wrmsr: {msr: 0x48, value: 0}
                                - rdmsr: 0x48
                                """);
        assertEquals(
                List.of(0L, 5L, 0L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
        assertEquals(5, recording.exits());
    }

    /// On V_SPEC_CTRL what an emulated write stores is in the VMCB, and a read that exits finds it there.
    @Test
    void emulationUsesTheVmcbWhereTheProcessorSwitches() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .under("kvm-6.1,spec-ctrl=always-intercept")
                        .run("- wrmsr: {msr: 0x48, value: 5}\n- rdmsr: 0x48\n");
        assertEquals(5, recording.only(MsrReadBack.class).value());
        assertEquals(5, recording.field(1, "spec_ctrl"));
        assertEquals(0, recording.vcpu().kvm(Kvm.SPEC_CTRL));
    }

    /// FACTS 1.3: 0 is stored and nothing else; the first other value lifts both kinds of interception, once.
    @Test
    void writesOfZeroKeepInterception() {
        Recording recording =
                VcpuScenario.on("Broadwell")
                        .run(
                                """
                                - wrmsr: {msr: 0x48, value: 0}
                                - wrmsr: {msr: 0x48, value: 0}
                                - wrmsr: {msr: 0x48, value: 1}
                                - wrmsr: {msr: 0x48, value: 0}
                                - rdmsr: 0x48
                                """);
        assertEquals(3, recording.exits("MSR_WRITE"));
        assertEquals(
                new MsrInterceptChanged(1, 0x48, false, false),
                recording.only(MsrInterceptChanged.class, e -> e.msr() == 0x48));
        assertEquals(0, recording.only(MsrReadBack.class).value());
    }

    /// ... and so it does a read of what it does not have, whoever passed it through.
    @Test
    void hardwareWithoutTheMsrFaultsOncePassedThrough() {
        for (String policy : Trees.of("all")) {
            Recording recording =
                    VcpuScenario.on("EPYC")
                            .under(policy + ",spec-ctrl=always-passthrough")
                            .run("- rdmsr: 0x48\n- wrmsr: {msr: 0x48, value: 0}\n");
            assertEquals(List.of(Outcome.GP, Outcome.GP), recording.outcomes(), policy);
            assertEquals(0, recording.exits(), policy);
        }
    }

    /// A write that is passed through reaches the hardware, and the hardware refuses what it cannot do.
    @Test
    void hardwareFaultsWithoutExitOncePassedThrough() {
        Recording recording =
                VcpuScenario.on("Broadwell")
                        .run(WRITE_1 + "- wrmsr: {msr: 0x48, value: 0x80}\n- rdmsr: 0x48\n");
        assertEquals(List.of(Outcome.DONE, Outcome.GP, Outcome.DONE), recording.outcomes());
        assertEquals(1, recording.exits());
        assertEquals(1, recording.only(MsrReadBack.class).value());
    }

    /// FACTS 1.3: userspace's non-zero write lifts interception as well; migration depends on it.
    @ParameterizedTest
    @CsvSource({
        // policy, value written by userspace, guest exits for its own write of 1 afterwards
        "kvm-6.1, 1, false",
        "kvm-6.1, 5, false",
        "kvm-6.1, 0, true",
        "'kvm-6.1,spec-ctrl=v1', 1, true",
        "'kvm-6.1,spec-ctrl=v2', 1, true",
        "'kvm-6.1,spec-ctrl=v3', 1, true",
        "'kvm-6.1,spec-ctrl=v4', 1, true",
        "'kvm-6.1,spec-ctrl=v4', 5, false",
        "'kvm-6.1,spec-ctrl=always-intercept', 5, true",
        "'kvm-6.1,spec-ctrl=always-passthrough', 0, false"
    })
    void userspaceLiftsInterceptionByTheSamePredicate(String policy, long value, boolean exits) {
        String hostWrite = "- host-write: {msr: 0x48, value: %d}\n".formatted(value);
        for (String before : List.of("", "- cpuid: {leaf: 1}\n")) {
            Recording recording =
                    VcpuScenario.on("Icelake-Server")
                            .under(policy)
                            .run(before + hostWrite + WRITE_1);
            assertEquals(exits ? 1 : 0, recording.exits("MSR_WRITE"), before + policy);
            assertEquals(Outcome.DONE, recording.only(UserspaceMsrStored.class).outcome());
        }
    }

    /// Before the first entry: no exit and no read back, one try. h = 1, the guest's 5 is loaded at the first entry.
    @Test
    void userspaceWritesBeforeTheFirstEntry() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                "- host-write: {msr: 0x48, value: 5}\n- rdmsr: 0x48\n- cpuid: {leaf: 1}\n");
        assertEquals(1, recording.exits());
        assertEquals(5, recording.only(MsrReadBack.class).value());
        assertEquals(1, recording.hostReads(0x48, HostCause.VALUE_CHECK));
        assertEquals(2, recording.hostWrites(0x48, HostCause.VALUE_CHECK));
        assertEquals(2, recording.hostWrites(0x48, HostCause.ENTRY_LOAD));
        assertEquals(1, recording.hostWrites(0x48, HostCause.EXIT_RESTORE));
        assertEquals(1, recording.hostReads(0x48, HostCause.EXIT_SAVE));
    }

    /// Later: the guest is interrupted for it, which is an exit with a read if writes are passed through.
    @Test
    void userspaceWritesWhileTheGuestRuns() {
        Recording recording =
                VcpuScenario.on("Broadwell")
                        .run(WRITE_1 + "- host-write: {msr: 0x48, value: 4}\n- rdmsr: 0x48\n");
        assertEquals(List.of("MSR_WRITE", "EXTERNAL_INTERRUPT"), recording.exitReasons());
        assertEquals(4, recording.only(MsrReadBack.class).value());
        // The exit for userspace: save 1, restore 0; tried; entry loads 4.
        assertEquals(1, recording.hostReads(0x48, HostCause.EXIT_SAVE));
        assertEquals(1, recording.hostWrites(0x48, HostCause.EXIT_RESTORE));
        assertEquals(2, recording.hostWrites(0x48, HostCause.ENTRY_LOAD));
    }

    @Test
    void userspaceIsRefusedWhatTheHostRefuses() {
        Recording recording =
                VcpuScenario.on("Broadwell")
                        .run("- host-write: {msr: 0x48, value: 0x400}\n" + WRITE_1);
        assertEquals(Outcome.GP, recording.only(UserspaceMsrStored.class).outcome());
        assertEquals(1, recording.exits("MSR_WRITE"));
    }

    /// FACTS 1.7: what counts for v3 and v4 is the vCPU's ARCH_CAPABILITIES as userspace set them.
    @ParameterizedTest
    @CsvSource({"0x0, 1", "0x2, 2"})
    void v4AsksTheCapabilitiesThatUserspaceSet(String capabilities, int exits) {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .under("kvm-6.1,spec-ctrl=v4")
                        .run(
                                "- host-write: {msr: IA32_ARCH_CAPABILITIES, value: %s}\n"
                                                .formatted(capabilities)
                                        + WRITE_1
                                        + WRITE_1);
        assertEquals(exits, recording.exits("MSR_WRITE"));
    }

    /// FACTS 1.7: IBRS|STIBP passes through for good; a write of IBRS alone that comes later changes nothing.
    @Test
    void laterWriteOfIbrsAloneChangesNothing() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .under("kvm-6.1,spec-ctrl=v4")
                        .run(WRITE_1 + "- wrmsr: {msr: 0x48, value: 3}\n" + WRITE_1 + WRITE_1);
        assertEquals(2, recording.exits("MSR_WRITE"));
        assertFalse(recording.vcpu().bitmap(1).exits(0x48, true));
        assertFalse(recording.vcpu().bitmap(1).exits(0x48, false));
    }

    /// 6.18+: with V_SPEC_CTRL passed through only for a guest that has the MSR; before, for every guest.
    @ParameterizedTest
    @CsvSource({
        "kvm-5.15,DONE",
        "kvm-6.1,DONE",
        "kvm-6.6,DONE",
        "kvm-6.12,DONE",
        "kvm-6.18,GP",
        "kvm-7.1,GP"
    })
    void guestWithoutTheMsrReachesItOnVirtualSpecCtrl(String policy, Outcome outcome) {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .under(policy)
                        .guestCpu("{ibrs: false, amd-stibp: false, amd-ssbd: false}")
                        .run(WRITE_1);
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
        assertEquals(outcome == Outcome.DONE ? 0 : 1, recording.exits());
    }

    /// The processor keeps what the guest wrote in the VMCB; the pCPU's own copy stays the host's.
    @Test
    void processorSwitchesBetweenGuestAndHost() {
        Recording recording = VcpuScenario.on("EPYC-Milan").run(WRITE_1 + "- cpuid: {leaf: 1}\n");
        assertEquals(1, recording.field(1, "spec_ctrl"));
        assertEquals(0, recording.machine().pcpu(0).msr(0x48));
        assertEquals(1, recording.machine().hardwareMsr(recording.vcpu(), 0x48));
    }

    /// A condition sees the value that was there before the write it judges.
    @Test
    void conditionComparesWithWhatWasWrittenLast() {
        String lift = "kvm-6.1\nspec-ctrl: {lift: vcpu.spec_ctrl == 1u && value == 1u}\n";
        Recording recording =
                VcpuScenario.on("Broadwell")
                        .file("extends: " + lift)
                        .run(
                                WRITE_1
                                        + "- wrmsr: {msr: 0x48, value: 4}\n"
                                        + WRITE_1
                                        + WRITE_1
                                        + WRITE_1);
        assertEquals(4, recording.exits("MSR_WRITE"));
        assertTrue(recording.vcpu().kvm(Kvm.SPEC_CTRL) == 1);
    }

    @Test
    void namesTheMsr() {
        assertEquals(0x48, Msrs.SPEC_CTRL);
    }
}
