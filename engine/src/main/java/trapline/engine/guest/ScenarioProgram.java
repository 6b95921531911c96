package trapline.engine.guest;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Kvm;
import trapline.engine.state.VcpuState;

/// Goes through a compiled scenario on one vCPU.
final class ScenarioProgram implements Program {

    private final List<Instruction> code;
    private final SplitMix64 generator;
    private final Deque<Step> queued = new ArrayDeque<>();
    private long[] roundsLeft = new long[8];
    private int loops;
    private int next;
    private boolean hypervisor;
    private NestedBlock block;
    private int blockEnd;
    private boolean ending;
    private GuestOp last;

    ScenarioProgram(List<Instruction> code, SplitMix64 generator) {
        this.code = code;
        this.generator = generator;
    }

    @Override
    public Step next(VcpuState vcpu) {
        Step step = queued.poll();
        if (step == null && block != null && vcpu.level() == 1) {
            step = atLevel1();
        }
        while (step == null && next < code.size()) {
            step = execute(code.get(next++), vcpu);
        }
        if (step instanceof Step.Do(GuestOp op)) {
            last = op;
        }
        return step;
    }

    /// L1 runs although its nested block has not ended: L2 exited to it, or could not be entered.
    private Step atLevel1() {
        if (ending || last instanceof GuestOp.EnterNested) {
            if (!ending) {
                next = blockEnd + 1;
            }
            block = null;
            return null;
        }
        queue(block.resume(last));
        return queued.poll();
    }

    private void queue(List<GuestOp> ops) {
        for (GuestOp op : ops) {
            queued.add(new Step.Do(op));
        }
    }

    private Step execute(Instruction instruction, VcpuState vcpu) {
        return switch (instruction) {
            case Instruction.Fixed(Step step) -> step;
            case Instruction.Drawn(var maker) -> maker.apply(generator);
            case Instruction.LoopBegin(long rounds, int end) -> {
                if (rounds == 0) {
                    next = end + 1;
                } else {
                    push(rounds);
                }
                yield null;
            }
            case Instruction.LoopEnd(int begin) -> {
                if (--roundsLeft[loops - 1] > 0) {
                    next = begin + 1;
                } else {
                    loops--;
                }
                yield null;
            }
            case Instruction.NestedBegin(NestedBlock entered, int end) -> {
                block = entered;
                blockEnd = end;
                ending = false;
                enter(vcpu);
                yield queued.poll();
            }
            case Instruction.NestedEnd(GuestOp call) -> {
                ending = true;
                yield new Step.Do(call);
            }
        };
    }

    private void enter(VcpuState vcpu) {
        if (!hypervisor) {
            queue(block.setUp());
            hypervisor = true;
        }
        queue(block.enter(!vcpu.is(Kvm.LAUNCHED_12)));
    }

    private void push(long rounds) {
        if (loops == roundsLeft.length) {
            roundsLeft = Arrays.copyOf(roundsLeft, 2 * loops);
        }
        roundsLeft[loops++] = rounds;
    }
}
