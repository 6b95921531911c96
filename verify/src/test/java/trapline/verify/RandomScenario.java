package trapline.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Writes scenarios of all kinds, each from a seed.
///
/// @param timed whether its ops may depend on time
record RandomScenario(Random random, boolean timed) {

    // spotless:off
    private static final List<String> MSRS = List.of(
            "IA32_SPEC_CTRL", "IA32_SPEC_CTRL", "IA32_SPEC_CTRL", "IA32_PRED_CMD", "FS_BASE",
            "KERNEL_GS_BASE", "LSTAR", "TSC_AUX", "IA32_CR_PAT", "IA32_SYSENTER_EIP",
            "IA32_ARCH_CAPABILITIES", "IA32_FLUSH_CMD", "IA32_TSX_CTRL", "IA32_XSS", "IA32_PL3_SSP", "0xdeadbeef");

    /// `ANY` stands for one of the MSRs.
    private static final List<String> ANYWHERE = List.of(
            "wrmsr: {msr: ANY, value: {random: [0, 7]}}",
            "wrmsr: {msr: ANY, value: {random: [0, 7]}}",
            "rdmsr: ANY",
            "rdmsr: ANY",
            "wrmsr: {msr: FS_BASE, value: {random: [0, 0x7fffffffffff]}}",
            "run: {random: [1, 5000]}",
            "cpuid: {leaf: 0x1}",
            "cpuid: {leaf: 0x7, subleaf: 0}",
            "in: {port: 0x60, size: 1}",
            "out: {port: 0xc000, size: 4, value: {random: [0, 0xffffffff]}}",
            "mmio: {address: 0xfebd0000, size: 4, write: 0x1}",
            "vmcall",
            "vmmcall",
            "mov-cr: {cr: 3, value: {random: [0x1000, 0xffff000]}}",
            "mov-dr: {dr: 7, value: 0x400}",
            "xsaves: {mask: 0x1807}",
            "xrstors: {mask: {random: [0, 0x1fff]}}",
            "invlpg: {address: 0x1000}");
    private static final List<String> IN_L1 = List.of(
            "host-write: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}",
            "host-interrupt: {vector: 0xec}",
            "host-filter: {deny: [ANY, {msr: ANY, access: r}], user-exits: [filter]}",
            "host-filter: {default: allow, user-exits: [unknown, inval]}",
            "preempt: {}");
    private static final List<String> TIMED = List.of(
            "pause",
            "rdtsc",
            "wrmsr: {msr: IA32_TSC_DEADLINE, value: {random: [0x10000, 0xffffff]}}");
    private static final List<String> TIMED_IN_L1 = List.of("hlt");
    // spotless:on

    /// @param vcpus that all run the same program
    static String of(long seed, int vcpus, boolean timed) {
        RandomScenario scenario = new RandomScenario(new Random(seed), timed);
        StringBuilder text = new StringBuilder("scenario: random\n");
        text.append("vcpus: ").append(vcpus).append("\nprogram:\n");
        for (int block = 0; block < 6; block++) {
            scenario.block(text);
        }
        return text.toString();
    }

    private void block(StringBuilder text) {
        if (random.nextInt(4) == 0) {
            text.append("  - nested:\n");
            text.append("      intercept: {write: [IA32_PRED_CMD], read: [LSTAR]}\n");
            text.append("      do:\n");
            ops(text, 8, false);
        } else {
            text.append("  - repeat: ").append(1 + random.nextInt(12)).append('\n');
            text.append("    do:\n");
            ops(text, 10, true);
        }
    }

    private void ops(StringBuilder text, int most, boolean inL1) {
        int count = 1 + random.nextInt(most);
        for (int i = 0; i < count; i++) {
            text.append("        - ").append(op(inL1)).append('\n');
        }
    }

    private String op(boolean inL1) {
        List<String> ops = new ArrayList<>(ANYWHERE);
        if (inL1) {
            ops.addAll(IN_L1);
        }
        if (timed) {
            ops.addAll(TIMED);
        }
        if (inL1 && timed) {
            ops.addAll(TIMED_IN_L1);
        }
        return one(ops).replace("ANY", one(MSRS));
    }

    private String one(List<String> from) {
        return from.get(random.nextInt(from.size()));
    }
}
