package trapline.engine.guest;

import java.util.List;
import trapline.engine.state.MachineState;

/// Steps programs in turn: each vCPU, in order of number, gets one op and the inputs before it.
final class RoundRobin implements GuestRun {

    private final List<Program> programs;
    private final boolean[] ended;
    private int running;
    private int current = -1;
    private boolean turnEnds = true;
    private Step step;

    RoundRobin(List<Program> programs) {
        this.programs = programs;
        ended = new boolean[programs.size()];
        running = programs.size();
    }

    @Override
    public boolean advance(MachineState machine) {
        while (running > 0) {
            if (turnEnds) {
                current = (current + 1) % programs.size();
                turnEnds = false;
            }
            step = ended[current] ? null : programs.get(current).next(machine.vcpu(current));
            if (step != null) {
                turnEnds = step instanceof Step.Do;
                return true;
            }
            if (!ended[current]) {
                ended[current] = true;
                running--;
            }
            turnEnds = true;
        }
        return false;
    }

    @Override
    public int vcpu() {
        return current;
    }

    @Override
    public Step step() {
        return step;
    }
}
