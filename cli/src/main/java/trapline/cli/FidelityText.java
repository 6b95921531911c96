package trapline.cli;

import trapline.replayer.observed.Fidelity;
import trapline.replayer.observed.Fidelity.Row;

/// How well the model has a trace, as a table for the terminal.
final class FidelityText {

    private FidelityText() {}

    static String of(Fidelity fidelity) {
        StringBuilder text = new StringBuilder("\n").append(fidelity.describe()).append('\n');
        if (!fidelity.byReason().isEmpty()) {
            Table table = new Table("lrrr").row("REASON", "OBSERVED", "PREDICTED", "MATCHED");
            for (Row row : fidelity.byReason()) {
                table.row(row.reason(), row.observed(), row.predicted(), row.matched());
            }
            text.append('\n').append(table).append('\n');
        }
        fidelity.firstMismatch()
                .ifPresent(first ->
                        text.append("first mismatch: ").append(first.describe()).append('\n'));
        if (fidelity.withoutExit() > 0) {
            text.append(
                    "exits of the model for what the trace shows done without one: %s\n"
                            .formatted(Table.number(fidelity.withoutExit())));
        }
        if (fidelity.faults().observed() + fidelity.faults().predicted() > 0) {
            text.append(
                    "MSR accesses that raised #GP: %s observed, %s predicted, %s of them the same\n"
                            .formatted(
                                    Table.number(fidelity.faults().observed()),
                                    Table.number(fidelity.faults().predicted()),
                                    Table.number(fidelity.faults().matched())));
        }
        return text.toString();
    }
}
