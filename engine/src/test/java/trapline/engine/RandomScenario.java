package trapline.engine;

import java.util.List;
import trapline.engine.guest.SplitMix64;

/// A machine and a program drawn from a seed: every op of the grammar, in any order, with any operand.
///
/// Platform, policy, vCPU model, number of vCPUs and the choices of an L1 are drawn as well. Written as users
/// write scenarios, so that a failing seed can be printed and run by hand.
///
/// @param text the scenario file
public record RandomScenario(VcpuScenario machine, String text) {

    private static final int OPS = 60;
    private static final int NESTED_OPS = 8;

    private static final List<String> VMX =
            List.of("Broadwell", "Skylake-Server", "Icelake-Server", "SapphireRapids");
    private static final List<String> SVM =
            List.of(
                    "EPYC",
                    "EPYC-Rome",
                    "EPYC-Rome,v-spec-ctrl=false",
                    "EPYC-Milan",
                    "EPYC-Genoa",
                    "EPYC-Turin");
    private static final List<String> VARIANTS =
            List.of(
                    "",
                    ",spec-ctrl=always-intercept",
                    ",spec-ctrl=always-passthrough",
                    ",spec-ctrl=first-nonzero",
                    ",spec-ctrl=v1",
                    ",spec-ctrl=v4");

    /// Of KVM's module parameter, which the other vendor's module does not have.
    private static final List<String> PAGING_SVM = List.of("", "", "", ",npt=off");

    private static final List<String> PASSED =
            List.of("", "", ",pass-through=none", ",pass-through=+STAR+TSC_AUX-FS_BASE");
    private static final List<String> FORCE =
            List.of(
                    "",
                    ",spec-ctrl-force=intercept",
                    ",spec-ctrl-force=intercept,force-scope=vcpu",
                    ",mitigation-msrs=rfc-kernel");
    private static final List<String> FORCE_SHADOW =
            List.of(
                    "",
                    ",spec-ctrl-force=hw-shadow",
                    ",spec-ctrl-force=hw-shadow-fixed,force-scope=vcpu",
                    ",spec-ctrl-force=hw-shadow-fixed,mitigation-msrs=userspace-filter",
                    ",spec-ctrl-force=hw-shadow,force-scope=vcpu,mitigation-msrs=rfc-kernel");
    private static final List<String> GUEST_CPU =
            List.of(
                    "{}",
                    "{}",
                    "{ibrs-all: true}",
                    "{ibrs-all: false, invpcid: false}",
                    "{spec-ctrl: false, ibrs: false, amd-stibp: false, amd-ssbd: false}",
                    "{xsave: false, pcid: false}",
                    "{ibpb: false, rdtscp: false, smep: false}",
                    "{eraps: false}");
    private static final List<String> MSRS =
            List.of(
                    "IA32_SPEC_CTRL",
                    "IA32_SPEC_CTRL",
                    "IA32_SPEC_CTRL",
                    "IA32_PRED_CMD",
                    "IA32_FLUSH_CMD",
                    "IA32_ARCH_CAPABILITIES",
                    "EFER",
                    "IA32_XSS",
                    "IA32_U_CET",
                    "IA32_S_CET",
                    "STAR",
                    "LSTAR",
                    "FS_BASE",
                    "GS_BASE",
                    "KERNEL_GS_BASE",
                    "IA32_SYSENTER_EIP",
                    "IA32_CR_PAT",
                    "IA32_DEBUGCTLMSR",
                    "IA32_TSC",
                    "IA32_TSC_DEADLINE",
                    "TSC_AUX",
                    "AMD64_VIRT_SPEC_CTRL",
                    "VIRTUAL_MITIGATION_CTRL",
                    "0x830",
                    "0xc0012000",
                    "0xffffffff");
    private static final List<String> VALUES =
            List.of(
                    "0",
                    "0",
                    "1",
                    "1",
                    "2",
                    "3",
                    "4",
                    "5",
                    "0x401",
                    "0x80",
                    "0xd01",
                    "0x1d01",
                    "0x7040600070406",
                    "0xffff888000000000",
                    "0x800000000000",
                    "0xffffffffffffffff",
                    "{random: [0, 7]}",
                    "{random: [0, 0xffffffffffffffff]}");
    private static final List<String> FIELDS_VMX =
            List.of(
                    "GUEST_RFLAGS: 0",
                    "HOST_CR4: 0",
                    "CR3_TARGET_COUNT: 9",
                    "GUEST_RIP: 0x800000000000",
                    "VMCS_LINK_POINTER: 0",
                    "TSC_OFFSET: 77",
                    "VM_ENTRY_INTR_INFO_FIELD: 0x80000031");
    private static final List<String> FIELDS_SVM =
            List.of(
                    "asid: 0",
                    "cr4: 0",
                    "efer: 0xd01",
                    "intercepts4: 0",
                    "intercepts3: 0",
                    "tsc_offset: 77",
                    "event_inj: 0x80000031");

    /// The scenario of a seed, on a processor of a vendor.
    public static RandomScenario of(long seed, boolean vmx) {
        return new Writer(SplitMix64.of(seed, vmx ? 0 : 1, 1), vmx).scenario(seed);
    }

    public Recording run() {
        return machine.runText(text, "random");
    }

    @Override
    public String toString() {
        return "%s under %s with %s\n%s"
                .formatted(machine.cpu(), machine.policy(), machine.guestCpu(), text);
    }

    private record Writer(SplitMix64 random, boolean vmx) {

        RandomScenario scenario(long seed) {
            String cpu = one(vmx ? VMX : SVM);
            String policy = one(Trees.of("all")) + one(VARIANTS) + one(PASSED);
            if (!vmx) {
                policy += one(PAGING_SVM);
            }
            if (vmx) {
                policy += one(cpu.equals("SapphireRapids") ? FORCE_SHADOW : FORCE);
            }
            VcpuScenario machine =
                    VcpuScenario.on(cpu).under(policy).guestCpu(one(GUEST_CPU)).seed(seed);
            StringBuilder text = new StringBuilder("scenario: random\nvcpu:\n");
            int vcpus = 1 + below(3);
            for (int vcpu = 0; vcpu < vcpus; vcpu++) {
                text.append("  ").append(vcpu).append(":\n").append(ops(OPS / vcpus).indent(4));
            }
            return new RandomScenario(machine, text.toString());
        }

        private String ops(int count) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < count; i++) {
                text.append("- ").append(item()).append('\n');
            }
            return text.toString();
        }

        private String item() {
            return switch (below(12)) {
                case 0 -> "{repeat: %d, do: [{%s}, {%s}]}".formatted(below(4), op(), op());
                case 1 -> nested();
                default -> "{" + op() + "}";
            };
        }

        private String nested() {
            StringBuilder text = new StringBuilder("nested: {intercept: {");
            text.append("read: [%s], write: [%s]".formatted(one(MSRS), one(MSRS)));
            for (String flag : List.of("hlt", "cpuid", "io")) {
                text.append(", %s: %s".formatted(flag, below(2) == 0));
            }
            text.append(below(6) == 0 ? ", msr-bitmap: false" : "").append("}, ");
            if (below(4) == 0) {
                text.append("fields: {%s}, ".formatted(one(vmx ? FIELDS_VMX : FIELDS_SVM)));
            }
            text.append("do: [{run: 3}");
            for (int i = below(NESTED_OPS); i > 0; i--) {
                text.append(", {").append(op()).append('}');
            }
            return text.append("]}").toString();
        }

        private String op() {
            return switch (below(33)) {
                case 0, 1, 2, 3, 4, 5 ->
                        "wrmsr: {msr: %s, value: %s}".formatted(one(MSRS), one(VALUES));
                case 6, 7, 8 -> "rdmsr: " + one(MSRS);
                case 9, 10 -> "run: {random: [1, 5000]}";
                case 11 -> "cpuid: {leaf: %s}".formatted(one(List.of("0", "1", "7", "0x80000008")));
                case 12 -> "hlt: ";
                case 13 -> "in: {port: %s, size: 2}".formatted(one(List.of("0x21", "0xc000")));
                case 14 -> "out: {port: 0x3f8, value: %s}".formatted(one(VALUES));
                case 15 -> "mmio: {address: 0xfebd0010, size: 4}";
                case 16 -> "mmio: {address: 0xfee000b0, size: 4, write: 0}";
                case 17 -> one(List.of("vmcall: ", "vmmcall: "));
                case 18 ->
                        "mov-cr: {cr: %s, value: %s}"
                                .formatted(
                                        one(List.of("0", "2", "3", "4", "8")),
                                        one(
                                                List.of(
                                                        "0x80050033",
                                                        "0xe0050033",
                                                        "0x406a0",
                                                        "0x426a0",
                                                        "0x1000",
                                                        "3")));
                case 19 -> "mov-dr: {dr: %d, value: 0x400}".formatted(below(2) * 7);
                case 20 -> "invlpg: 0x1000";
                case 21 -> "invpcid: {type: %d, pcid: 1}".formatted(below(4));
                case 22 -> one(List.of("rdtsc: ", "pause: "));
                case 23 -> "xsetbv: {value: %s}".formatted(one(List.of("7", "1", "6")));
                case 24 -> one(List.of("vmload: ", "vmsave: "));
                case 25 -> "interrupt: {vector: %d}".formatted(0x20 + below(0xd0));
                case 26 -> below(3) == 0 ? filter() : "host-interrupt: {vector: 0xec}";
                case 28 ->
                        "force-spec-ctrl: {mask: %s, value: %s}"
                                .formatted(
                                        one(List.of("0", "5", "0x401", "0xff")),
                                        one(List.of("0", "1", "4", "0x400")));
                case 31 ->
                        "%s: {mask: %s}"
                                .formatted(
                                        one(List.of("xsaves", "xrstors")),
                                        one(List.of("0x1800", "7", "-1")));
                case 27 -> "host-write: {msr: %s, value: %s}".formatted(one(MSRS), one(VALUES));
                case 29 -> "call: {random: [1, 40]}";
                case 30 -> "ret: {random: [1, 12]}";
                default ->
                        below(2) == 0 ? "preempt: {}" : "preempt: {pcpu: %d}".formatted(below(4));
            };
        }

        private String filter() {
            return below(3) == 0
                    ? "host-filter: {default: allow}"
                    : "host-filter: {deny: [%s, {msr: %s, access: w}], user-exits: [filter]}"
                            .formatted(one(MSRS), one(MSRS));
        }

        private int below(int limit) {
            return (int) random.between(0, limit - 1L);
        }

        private String one(List<String> of) {
            return of.get(below(of.size()));
        }
    }
}
