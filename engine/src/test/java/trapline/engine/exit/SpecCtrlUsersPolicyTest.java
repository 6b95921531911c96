package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.table.Msrs;
import trapline.engine.text.Resources;

/// Policies that users write themselves, in CEL.
class SpecCtrlUsersPolicyTest {

    private static final List<String> CPUS =
            List.of("Broadwell", "SapphireRapids", "EPYC-Rome,v-spec-ctrl=false", "EPYC-Milan");

    /// v4 in other words.
    private static String restated(String tree) {
        return """
        policy: mine
        extends: %s
        spec-ctrl:
          start: intercepted
          lift: >-
            guest.ibrs_all
              ? !(value in [0u, 1u])
              : value > 0u
        """
                .formatted(tree);
    }

    /// Whatever the guest, host and tree, the same events, one by one.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ssbd-per-task",
                "stibp-per-task",
                "ibrs-at-kernel-entry",
                "ibrs-migrated-to-eibrs",
                "idle-timer",
                "nested-spec-ctrl"
            })
    void restatedV4GivesTheSameEvents(String guest) {
        String text = Resources.text("guests/" + guest + ".yaml").orElseThrow();
        for (String tree : List.of("kvm-5.4", "kvm-7.1")) {
            for (String cpu : CPUS) {
                for (String model : List.of("{}", "{ibrs-all: false}")) {
                    VcpuScenario scenario = VcpuScenario.on(cpu).guestCpu(model);
                    Recording builtIn = scenario.under(tree + ",spec-ctrl=v4").runText(text, guest);
                    Recording own = scenario.file(restated(tree)).runText(text, guest);
                    assertEquals(builtIn.envelopes(), own.envelopes(), cpu + " " + tree + model);
                }
            }
        }
    }

    /// A guest with AutoIBRS has no need of IBRS; it sets STIBP once. EFER, SPEC_CTRL and 10 CPUID exit, 12.
    private static final String AUTOIBRS =
            """
            - wrmsr: {msr: EFER, value: 0x200d01}
            - wrmsr: {msr: IA32_SPEC_CTRL, value: 2}
            - repeat: 10
              do: [ {cpuid: {leaf: 1}} ]
            """;

    private static void assertReads(long reads, VcpuScenario scenario) {
        Recording recording = scenario.run(AUTOIBRS);
        assertEquals(0x200d01, recording.vcpu().msr(Msrs.EFER));
        assertEquals(reads, recording.hostReads(Msrs.SPEC_CTRL, HostCause.EXIT_SAVE));
    }

    /// FACTS 1.7, Longman's second point: AutoIBRS is no bit of ARCH_CAPABILITIES, so v4 passes the write through as before, and
    /// each of the 10 exits after it reads the MSR. A rule that asks for AutoIBRS spares that.
    @Test
    void v4DoesNotSeeAutoIbrs() {
        VcpuScenario genoa = VcpuScenario.on("EPYC-Genoa,v-spec-ctrl=false");
        assertReads(10, genoa.under("kvm-6.1"));
        assertReads(10, genoa.under("kvm-6.1,spec-ctrl=v4"));
        String aware =
                """
                policy: mine
                extends: kvm-6.1
                spec-ctrl: {lift: value != 0u && !(guest.autoibrs && value == 2u)}
                """;
        assertReads(0, genoa.file(aware));
    }

    /// Where the processor switches the MSR, nobody reads it.
    @Test
    void autoIbrsIsMootWithVirtualSpecCtrl() {
        assertReads(0, VcpuScenario.on("EPYC-Genoa").under("kvm-6.1"));
        assertReads(0, VcpuScenario.on("EPYC-Genoa").under("kvm-6.1,spec-ctrl=v4"));
    }
}
