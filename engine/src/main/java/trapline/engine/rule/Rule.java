package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.Moment;
import trapline.engine.state.VcpuState;

/// One safety rule, as one execution keeps or breaks it.
interface Rule {

    /// Notes what the rule has to remember; called after each event that may matter to any rule.
    default void note(Envelope envelope) {}

    /// When there is something to judge: never, where the machine is such that nothing can break it.
    default List<Moment> moments() {
        return List.of(Moment.values());
    }

    /// What is wrong with a vCPU at a point of its run, in words.
    Optional<String> judge(Moment moment, VcpuState vcpu);
}
