package trapline.recorder;

import java.util.function.BooleanSupplier;
import trapline.engine.cpu.World;
import trapline.engine.guest.GuestRun;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;

/// Where an execution's steps come from.
public interface Driver {

    /// What answers the machine's questions.
    World world();

    /// Starts the execution and gives it every step, as long as `goOn` says so.
    void drive(Execution execution, BooleanSupplier goOn);

    /// The guest itself, from its beginning.
    static Driver guest(Ingredients ingredients) {
        return new Driver() {
            @Override
            public World world() {
                return ingredients.world();
            }

            @Override
            public void drive(Execution execution, BooleanSupplier goOn) {
                GuestRun run = ingredients.guest().start(ingredients.seed());
                execution.start();
                while (goOn.getAsBoolean() && run.advance(execution.machine())) {
                    execution.step(run);
                }
            }
        };
    }
}
