package trapline.replayer.observed;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;

/// How well a model's exits match those that a trace really has: the model's honesty.
///
/// @param as the policy that was held against the trace
/// @param cpu the host platform
/// @param traced how many exits the trace has in all; those that could not be held against the model are apart
/// @param withoutExit exits of the model for what the trace shows done without one
public record Fidelity(
        String as,
        String cpu,
        Basis basis,
        long traced,
        List<Row> byReason,
        Optional<Mismatch> firstMismatch,
        Faults faults,
        long withoutExit,
        Apart apart) {

    /// What of the trace the model is held against.
    public enum Basis {
        /// Each exit with the model's exits for the same op.
        EXITS("kvm_exit"),
        /// The trace has no exits: returns to userspace by reason, and each MSR access that KVM handled.
        HANDLED("kvm_userspace_exit, kvm_msr"),
        /// An MSR log says what the guest did, and nothing of its host.
        NONE("none");

        private final String text;

        Basis(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }

    /// @param observed how many the trace has that could be held against the model
    /// @param predicted how many the model has for the same steps
    public record Row(String reason, long observed, long predicted, long matched) {}

    /// The first step at which the two differ.
    ///
    /// @param order of the trace's event
    /// @param observed empty where the trace shows none
    public record Mismatch(
            int vcpu, long op, long order, long time, String observed, List<String> predicted) {

        public String describe() {
            return "vCPU %d, op %d, event %d of the trace: observed %s, the model has %s"
                    .formatted(
                            vcpu,
                            op,
                            order,
                            observed.isEmpty() ? "no exit" : observed,
                            predicted.isEmpty() ? "no exit" : String.join(", ", predicted));
        }
    }

    /// MSR accesses that raised #GP.
    public record Faults(long observed, long predicted, long matched) {}

    /// Exits by reason that were not held against the model.
    ///
    /// @param leftOut events other than exits that became no step
    /// @param gaps how often the tracer lost events
    public record Apart(
            SortedMap<String, Long> notModelled,
            SortedMap<String, Long> notTold,
            SortedMap<String, Long> nested,
            SortedMap<String, Long> leftOut,
            long gaps) {}

    public long observed() {
        return byReason.stream().mapToLong(Row::observed).sum();
    }

    public long predicted() {
        return byReason.stream().mapToLong(Row::predicted).sum();
    }

    public long matched() {
        return byReason.stream().mapToLong(Row::matched).sum();
    }

    /// Matched of observed; empty where nothing could be held against the model.
    public OptionalDouble share() {
        return observed() == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of((double) matched() / observed());
    }

    /// The figure with what it rests on, in one line.
    public String describe() {
        if (share().isEmpty()) {
            return "fidelity of %s on %s: %s".formatted(as, cpu, nothing());
        }
        return String.format(
                Locale.ROOT,
                "fidelity of %s on %s: %s of %s %s match, %.2f%%%s",
                as,
                cpu,
                number(matched()),
                number(observed()),
                basis == Basis.EXITS
                        ? "VM exits"
                        : "returns to userspace and MSR accesses (the trace has no kvm_exit)",
                Math.floor(10_000.0 * matched() / observed()) / 100,
                tail());
    }

    private String nothing() {
        return basis == Basis.NONE
                ? "unknown, nothing in the trace shows an exit"
                : "unknown, nothing in the trace can be held against the model" + tail();
    }

    private String tail() {
        StringBuilder text = new StringBuilder();
        ObservedCounts.append(text, "not modelled", apart.notModelled());
        ObservedCounts.append(text, "not told by the trace", apart.notTold());
        ObservedCounts.append(text, "nested", apart.nested());
        ObservedCounts.append(text, "other events left out", apart.leftOut());
        ObservedCounts.appendGaps(text, apart.gaps());
        return text.toString();
    }

    private static String number(long count) {
        return ObservedCounts.number(count);
    }
}
