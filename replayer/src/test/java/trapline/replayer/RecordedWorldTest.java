package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.MsrExitReason;
import trapline.engine.exit.OfferedModel;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Machines;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;

class RecordedWorldTest {

    private static final UserspaceMsrAsked ASKED =
            new UserspaceMsrAsked(0x5000_0002, false, 0, MsrExitReason.FILTER);
    private static final InputEvent RECORDED = new UserspaceReplied(0x5000_0002, false, 0x77, true);
    private static final InputEvent MODELS = new UserspaceReplied(0x5000_0002, false, 0, false);

    private final RecordedWorld world = new RecordedWorld(new ModelWorld(1, 2), 2);
    private final MachineState machine = machine();
    private final VcpuState vcpu = machine.vcpu(0);

    private static MachineState machine() {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve("Icelake-Server");
        Policy policy = new Policies(_ -> Optional.empty()).resolve("kvm-6.1");
        VcpuModel model = OfferedModel.of(platform, policy);
        return new MachineState(new Machines(platform, model, policy, 2).config());
    }

    /// What was recorded stands, with what userspace asked KVM for before it replied.
    @Test
    void recordedReplyWins() {
        InputEvent before = new UserspaceMsrRequested(0x48, 1);
        world.expect(0, List.of(before, RECORDED));
        assertEquals(List.of(before, RECORDED), world.userspace(ASKED, vcpu));
    }

    /// Once userspace was asked for something else than then, it may know other values: its model goes on.
    @Test
    void modelGoesOnWhereTheAccessesPart() {
        world.expect(0, List.of(new UserspaceReplied(0x5000_0002, true, 5, false)));
        assertEquals(List.of(MODELS), world.userspace(ASKED, vcpu));
        world.expect(0, List.of(RECORDED));
        assertEquals(List.of(MODELS), world.userspace(ASKED, vcpu));
        world.expect(1, List.of(RECORDED));
        assertEquals(List.of(RECORDED), world.userspace(ASKED, machine.vcpu(1)));
    }

    /// So it is where userspace is not asked at all, as under a tree without the filter.
    @Test
    void modelGoesOnWhereAReplyWasNotNeeded() {
        world.expect(0, List.of(RECORDED));
        world.expect(0, List.of(RECORDED));
        assertEquals(List.of(MODELS), world.userspace(ASKED, vcpu));
    }
}
