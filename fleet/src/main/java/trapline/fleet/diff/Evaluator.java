package trapline.fleet.diff;

import java.util.function.BooleanSupplier;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetRun;
import trapline.schemas.FleetTask;

/// Does what a task asks for.
public interface Evaluator {

    /// What became of the task; that it could not be done is a result, too.
    ///
    /// @param wanted whether anybody still does: else it is left with [NotWanted]
    FleetResult evaluate(FleetRun run, FleetTask task, BooleanSupplier wanted);

    /// Nobody wants the result any more.
    final class NotWanted extends RuntimeException {

        private static final long serialVersionUID = 1;

        public NotWanted() {
            super("not wanted any more", null, false, false);
        }
    }
}
