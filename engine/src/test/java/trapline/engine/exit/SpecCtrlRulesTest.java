package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.exit.SpecCtrlCountsTest.Counts;
import trapline.engine.guest.SplitMix64;

/// The rules of FACTS 1.2 to 1.8 written down once more, in a few lines, and held against the engine on programs
/// of any number of exits and writes.
class SpecCtrlRulesTest {

    private static final int SEEDS = 150;
    private static final int OPS = 80;

    /// What is known of a machine without asking the engine: FACTS 7a.
    ///
    /// @param host the host's own value, outside of 5.4 and 5.15
    /// @param virtual V_SPEC_CTRL
    private record Machine(
            String cpu,
            long host,
            boolean kernelIbrs,
            boolean eibrs,
            boolean shown,
            boolean virtual) {}

    private static final List<Machine> MACHINES =
            List.of(
                    new Machine("Broadwell", 0, false, false, false, false),
                    new Machine("Skylake-Server", 1, true, false, false, false),
                    new Machine("Icelake-Server", 1, false, true, true, false),
                    new Machine("SapphireRapids", 0x401, false, true, true, false),
                    new Machine("EPYC-Rome,v-spec-ctrl=false", 0, false, false, false, false),
                    new Machine("EPYC-Genoa,v-spec-ctrl=false", 0, false, true, false, false),
                    new Machine("EPYC-Milan", 0, false, false, false, true));

    private static final List<String> VARIANTS =
            List.of(
                    "always-intercept",
                    "always-passthrough",
                    "first-nonzero",
                    "v1",
                    "v2",
                    "v3",
                    "v4");

    /// @param op `c` for CPUID, `r` for a read, `w` for a write, `h` for a write by userspace
    private record Op(char op, long value) {

        String yaml() {
            return switch (op) {
                case 'c' -> "- cpuid: {leaf: 1}\n";
                case 'r' -> "- rdmsr: 0x48\n";
                case 'w' -> "- wrmsr: {msr: 0x48, value: %d}\n".formatted(value);
                default -> "- host-write: {msr: 0x48, value: %d}\n".formatted(value);
            };
        }
    }

    record Case(Machine machine, String base, String variant, List<Op> program) {

        static Case of(long seed) {
            SplitMix64 random = new SplitMix64(seed);
            Machine machine = one(MACHINES, random);
            // 5.4 knows nothing of V_SPEC_CTRL.
            String base = one(Trees.of(machine.virtual() ? "5.15+" : "all"), random);
            List<Op> program = new ArrayList<>();
            // How often the guest writes differs from case to case, from hardly ever to nearly
            // always.
            long writes = random.between(0, 9);
            for (int i = 0; i < OPS; i++) {
                boolean write = random.between(0, 9) < writes;
                char op = write ? 'w' : "cccrh".charAt((int) random.between(0, 4));
                program.add(new Op(op, random.between(0, 2) == 0 ? random.between(0, 7) : 1));
            }
            return new Case(machine, base, one(VARIANTS, random), program);
        }

        private static <T> T one(List<T> of, SplitMix64 random) {
            return of.get((int) random.between(0, of.size() - 1L));
        }

        @Override
        public String toString() {
            return machine.cpu() + " " + base + " " + variant;
        }
    }

    static Stream<Case> cases() {
        return LongStream.rangeClosed(1, SEEDS).mapToObj(Case::of);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void countsAsTheRulesSay(Case one) {
        StringBuilder program = new StringBuilder();
        one.program().forEach(op -> program.append(op.yaml()));
        Recording recording =
                VcpuScenario.on(one.machine().cpu())
                        .under(one.base() + ",spec-ctrl=" + one.variant())
                        .run(program.toString());
        Rules rules = new Rules(one);
        one.program().forEach(rules::step);
        assertEquals(rules.counts(), Counts.of(recording), () -> one + "\n" + program);
    }

    /// One vCPU as far as SPEC_CTRL goes.
    private static final class Rules {

        private final boolean virtual;
        private final long host;
        private final boolean always;
        private final LongPredicate lifts;
        private boolean passed;
        private boolean entered;

        /// What KVM believes the guest has, and what it has.
        private long believed;

        private long real;
        private long exits;
        private long saves;
        private long tried;
        private long loads;
        private long restores;

        Rules(Case one) {
            Machine machine = one.machine();
            boolean old = one.base().equals("kvm-5.4") || one.base().equals("kvm-5.15");
            virtual = machine.virtual();
            host = old ? machine.host() & 1 : machine.host();
            always = machine.kernelIbrs() && !one.base().equals("kvm-5.4");
            lifts =
                    switch (one.variant()) {
                        case "always-intercept" -> _ -> false;
                        case "v1", "v2" -> v -> v != 0 && !(machine.eibrs() && v == 1);
                        case "v3", "v4" -> v -> v != 0 && !(machine.shown() && v == 1);
                        default -> v -> v != 0;
                    };
            passed =
                    one.variant().equals("always-passthrough")
                            || (virtual && !one.variant().equals("always-intercept"));
        }

        void step(Op op) {
            if (op.op() == 'h') {
                if (entered) {
                    leave();
                }
                store(op.value());
                if (entered) {
                    enter();
                }
                return;
            }
            if (!entered) {
                enter();
            }
            if (op.op() != 'c' && passed) {
                real = op.op() == 'w' ? op.value() : real;
                return;
            }
            leave();
            if (op.op() == 'w') {
                store(op.value());
            }
            enter();
        }

        private void enter() {
            entered = true;
            loads += !virtual && believed != host ? 1 : 0;
            real = believed;
        }

        private void leave() {
            exits++;
            if (passed) {
                saves += virtual ? 0 : 1;
                believed = real;
            }
            restores += !virtual && (always || believed != host) ? 1 : 0;
        }

        private void store(long value) {
            tried++;
            believed = value;
            passed |= lifts.test(value);
        }

        Counts counts() {
            return new Counts(exits, saves, tried, loads, restores);
        }
    }
}
