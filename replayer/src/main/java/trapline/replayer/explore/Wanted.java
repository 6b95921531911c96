package trapline.replayer.explore;

import trapline.engine.event.Envelope;
import trapline.engine.state.MachineState;

/// Which events somebody looks for, who goes through some in a row.
interface Wanted {

    /// Whether it must be told the state.
    default boolean needsState() {
        return false;
    }

    /// The events that come follow this state.
    default void begin(MachineState machine) {}

    /// Whether the next event is such a one.
    ///
    /// @param after the state after it; null where that was not asked for
    boolean fits(Envelope event, MachineState after);
}
