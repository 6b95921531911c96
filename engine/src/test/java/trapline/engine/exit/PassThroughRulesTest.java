package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.Reference;
import trapline.engine.VcpuScenario;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// Which MSRs Linux 7.1 passes through, row by row of the table of its rules, and no others.
class PassThroughRulesTest {

    @ParameterizedTest
    @CsvSource({
        "Broadwell, {}",
        "Icelake-Server, {}",
        "Icelake-Server, {flush-l1d: false}",
        "Icelake-Server, '{spec-ctrl: false, ibpb: false}'",
        "SapphireRapids, {}",
        "SapphireRapids, {shstk: false}",
        "SapphireRapids, '{shstk: false, ibt: false}'",
        "EPYC, {}",
        "'EPYC-Rome,v-spec-ctrl=false', {}",
        "EPYC-Milan, {}",
        "EPYC-Milan, '{ibrs: false, amd-stibp: false, amd-ssbd: false}'",
        "EPYC-Milan, {ibpb: false}",
        "EPYC-Milan, {shstk: false}",
        "EPYC-Turin, {}"
    })
    void passesWhatTheRulesSay(String cpu, String guestCpu) {
        VcpuScenario scenario = VcpuScenario.on(cpu).guestCpu(guestCpu).under("kvm-7.1");
        for (String value : List.of("0", "1")) {
            Recording recording =
                    scenario.run("- wrmsr: {msr: IA32_SPEC_CTRL, value: " + value + "}\n");
            boolean written = value.equals("1") && hasSpecCtrl(scenario.model());
            Rules rules = new Rules(scenario.platform(), scenario.model(), written);
            assertEquals(rules.passed(), passed(recording.vcpu().bitmap(1)));
        }
    }

    private static boolean hasSpecCtrl(VcpuModel guest) {
        return guest.has("SPEC_CTRL")
                || guest.has("AMD_STIBP")
                || guest.has("AMD_IBRS")
                || guest.has("AMD_SSBD");
    }

    /// @param written the guest wrote another value than 0 to SPEC_CTRL
    private record Rules(Platform host, VcpuModel guest, boolean written) {

        NavigableSet<String> passed() {
            String isa = host.vendor().name();
            NavigableSet<String> passed = new TreeSet<>();
            for (SortedMap<String, String> row : Reference.rows("passthrough_rules_7_1.csv")) {
                if (row.get("isa").equals(isa) && holds(row.get("condition_for_pass_through"))) {
                    for (String msr : msrs(row.get("msr"))) {
                        for (char type : row.get("type").toLowerCase(Locale.ROOT).toCharArray()) {
                            passed.add(msr + ":" + type);
                        }
                    }
                }
            }
            return passed;
        }

        private boolean holds(String condition) {
            return switch (condition) {
                case "always", "always (64-bit)", "guest CPUID not Intel-compatible" -> true;
                case "vcpu spec_ctrl != 0" -> written;
                case "V_SPEC_CTRL: guest_has_spec_ctrl_msr; else spec_ctrl != 0" ->
                        host.has("V_SPEC_CTRL") ? hasSpecCtrl(guest) : written;
                case "host IBPB and guest_has_pred_cmd_msr" ->
                        (host.has("SPEC_CTRL") || host.has("AMD_IBPB"))
                                && (guest.has("SPEC_CTRL") || guest.has("AMD_IBPB"));
                case "host and guest FLUSH_L1D" -> host.has("FLUSH_L1D") && guest.has("FLUSH_L1D");
                case "KVM and guest SHSTK", "guest SHSTK" -> guest.has("SHSTK");
                case "guest IBT or SHSTK" -> guest.has("SHSTK") || guest.has("IBT");
                // Off unless a host asks for it: no such host is modelled.
                case "cstate in guest",
                        "aperfmperf in guest",
                        "pt_mode host-guest and guest TraceEn=1",
                        "xfd_no_write_intercept (first non-zero XFD write)",
                        "guest has XFD",
                        "mediated PMU",
                        "V_LBR enabled",
                        "on-demand, not filterable" ->
                        false;
                default -> throw new AssertionError("unknown condition: " + condition);
            };
        }
    }

    /// `A,B 0x12,C_X/Y` are four.
    private static List<String> msrs(String cell) {
        List<String> msrs = new ArrayList<>();
        for (String part : cell.split(",")) {
            String[] names =
                    part.equals("PL0..PL3_SSP")
                            ? new String[] {"PL0_SSP", "PL1_SSP", "PL2_SSP", "PL3_SSP"}
                            : part.split(" ")[0].split("/");
            String prefix = names[0].substring(0, names[0].lastIndexOf('_') + 1);
            for (int i = 0; i < names.length; i++) {
                String name =
                        i == 0 || Msrs.parse(names[i]).isPresent() ? names[i] : prefix + names[i];
                assertTrue(Msrs.parse(name).isPresent(), name);
                msrs.add(Msrs.name(Msrs.parse(name).getAsInt()));
            }
        }
        return msrs;
    }

    private static NavigableSet<String> passed(MsrBitmap bitmap) {
        NavigableSet<String> passed = new TreeSet<>();
        for (int base : new int[] {0, 0xc000_0000, 0xc001_0000}) {
            for (int msr = base; msr < base + 0x2000; msr++) {
                if (!bitmap.exits(msr, false)) {
                    passed.add(Msrs.name(msr) + ":r");
                }
                if (!bitmap.exits(msr, true)) {
                    passed.add(Msrs.name(msr) + ":w");
                }
            }
        }
        return passed;
    }

    /// The table is there for both.
    @ParameterizedTest
    @CsvSource({"VMX, 15", "SVM, 9"})
    void hasRules(Vendor vendor, int rows) {
        assertEquals(
                rows,
                Reference.rows("passthrough_rules_7_1.csv").stream()
                        .filter(row -> row.get("isa").equals(vendor.name()))
                        .count());
    }
}
