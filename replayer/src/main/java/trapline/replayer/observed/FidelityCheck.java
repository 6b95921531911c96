package trapline.replayer.observed;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Outcome;
import trapline.engine.guest.Step;
import trapline.replayer.observed.Fidelity.Apart;
import trapline.replayer.observed.Fidelity.Basis;
import trapline.replayer.observed.Fidelity.Faults;
import trapline.replayer.observed.Fidelity.Mismatch;
import trapline.replayer.observed.Fidelity.Row;

/// Holds what a model did at each step against what the trace shows there.
public final class FidelityCheck {

    private static final String KVM_MSR = "kvm_msr";

    private final SortedMap<String, long[]> rows = new TreeMap<>();
    private final SortedMap<String, Long> toUserspace = new TreeMap<>();
    private Mismatch first;
    private Mismatch firstPassed;
    private long handled;
    private long withoutExit;
    private long faults;
    private long faultsPredicted;
    private long faultsMatched;

    /// What the model did at one step.
    ///
    /// @param exits L1's VM exits by name, in order
    /// @param userspace its returns to userspace by name
    /// @param outcome how the op ended; null for an input, and for an op that never ended
    public record Predicted(List<String> exits, List<String> userspace, Outcome outcome) {}

    public void step(ObservedStep step, Predicted predicted) {
        predicted.userspace().forEach(reason -> toUserspace.merge(reason, 1L, Long::sum));
        faults(step, predicted);
        if (step.at().exit().isEmpty()) {
            unexited(step, predicted);
            return;
        }
        List<String> more = new ArrayList<>(predicted.exits());
        row(step.at().exit())[0]++;
        predicted.exits().forEach(reason -> row(reason)[1]++);
        if (more.remove(step.at().exit())) {
            row(step.at().exit())[2]++;
        } else {
            more.add("");
        }
        if (!more.isEmpty() && first == null) {
            first = mismatch(step, step.at().exit(), predicted);
        }
    }

    private long[] row(String reason) {
        return rows.computeIfAbsent(reason, _ -> new long[3]);
    }

    private static Mismatch mismatch(ObservedStep step, String observed, Predicted predicted) {
        return new Mismatch(
                step.vcpu(),
                step.op(),
                step.at().order(),
                step.at().time(),
                observed,
                List.copyOf(predicted.exits()));
    }

    private void unexited(ObservedStep step, Predicted predicted) {
        withoutExit += predicted.exits().size();
        if (isMsrAccess(step)) {
            if (!predicted.exits().isEmpty()) {
                handled++;
            } else if (firstPassed == null) {
                firstPassed = mismatch(step, KVM_MSR, predicted);
            }
        }
    }

    private static boolean isMsrAccess(ObservedStep step) {
        return step.step() instanceof Step.Do(GuestOp op)
                && (op instanceof GuestOp.Wrmsr || op instanceof GuestOp.Rdmsr);
    }

    private void faults(ObservedStep step, Predicted predicted) {
        if (isMsrAccess(step)) {
            boolean faulted = predicted.outcome() == Outcome.GP;
            faults += step.at().faulted() ? 1 : 0;
            faultsPredicted += faulted ? 1 : 0;
            faultsMatched += faulted && step.at().faulted() ? 1 : 0;
        }
    }

    /// @param counts what became of the trace's exits
    public Fidelity result(String as, String cpu, ObservedCounts counts) {
        Basis basis =
                !counts.exits().isEmpty()
                        ? Basis.EXITS
                        : counts.userspaceExits().isEmpty() && counts.msrAccesses() == 0
                                ? Basis.NONE
                                : Basis.HANDLED;
        return new Fidelity(
                as,
                cpu,
                basis,
                ObservedCounts.sum(counts.exits()),
                switch (basis) {
                    case EXITS -> exits();
                    case HANDLED -> handled(counts);
                    case NONE -> List.of();
                },
                Optional.ofNullable(
                        switch (basis) {
                            case EXITS -> first;
                            case HANDLED -> firstPassed;
                            case NONE -> null;
                        }),
                new Faults(faults, faultsPredicted, faultsMatched),
                basis == Basis.EXITS ? withoutExit : 0,
                new Apart(
                        counts.notModelled(),
                        counts.notTold(),
                        counts.nested(),
                        counts.leftOut(),
                        counts.gaps()));
    }

    private List<Row> exits() {
        return rows.entrySet().stream()
                .map(row ->
                        new Row(
                                row.getKey(),
                                row.getValue()[0],
                                row.getValue()[1],
                                row.getValue()[2]))
                .toList();
    }

    /// Returns to userspace can be counted, not told op by op: where others come in between is not traced.
    private List<Row> handled(ObservedCounts counts) {
        List<Row> handledRows = new ArrayList<>();
        SortedMap<String, Long> reasons = new TreeMap<>(counts.userspaceExits());
        toUserspace.keySet().forEach(reason -> reasons.putIfAbsent(reason, 0L));
        reasons.forEach((reason, observed) -> {
            long predicted = toUserspace.getOrDefault(reason, 0L);
            handledRows.add(new Row(reason, observed, predicted, Math.min(observed, predicted)));
        });
        if (counts.msrAccesses() > 0) {
            handledRows.add(new Row(KVM_MSR, counts.msrAccesses(), handled, handled));
        }
        return List.copyOf(handledRows);
    }
}
