package trapline.engine.guest;

import java.util.function.Function;
import trapline.engine.cpu.GuestOp;

/// One place in a compiled scenario: what a [ScenarioProgram] goes through.
sealed interface Instruction {

    /// A step that is the same each time.
    record Fixed(Step step) implements Instruction {}

    /// A step with numbers drawn anew each time.
    record Drawn(Function<SplitMix64, Step> maker) implements Instruction {}

    /// Begins a loop whose end is at `end`; zero rounds jump there.
    record LoopBegin(long rounds, int end) implements Instruction {}

    /// Goes back behind `begin` while rounds are left.
    record LoopEnd(int begin) implements Instruction {}

    /// L1 enters L2; what follows up to [NestedEnd] at `end` is L2's.
    record NestedBegin(NestedBlock block, int end) implements Instruction {}

    /// L2's last instruction, which L1 intercepts.
    record NestedEnd(GuestOp call) implements Instruction {}
}
