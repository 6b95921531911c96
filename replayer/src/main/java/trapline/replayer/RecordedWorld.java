package trapline.replayer;

import java.util.List;
import trapline.engine.cpu.World;
import trapline.engine.event.Emitter;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.VcpuState;

/// Answers as recorded; what was never asked while recording, as the session's header determines it.
final class RecordedWorld implements World {

    private final ModelWorld model;

    /// vCPUs whose userspace was asked for something else than while recording: it may know other values since.
    private final boolean[] parted;

    private List<InputEvent> answers = List.of();
    private int vcpu;
    private int next;

    /// @param model what answers otherwise
    RecordedWorld(ModelWorld model, int vcpus) {
        this.model = model;
        parted = new boolean[vcpus];
    }

    /// The answers that were recorded for the step about to run.
    void expect(int vcpu, List<InputEvent> answers) {
        for (int i = next; i < this.answers.size(); i++) {
            parted[this.vcpu] |= this.answers.get(i) instanceof UserspaceReplied;
        }
        this.answers = answers;
        this.vcpu = vcpu;
        next = 0;
    }

    @Override
    public long timestamp(VcpuState vcpu, Emitter out) {
        if (next < answers.size() && answers.get(next) instanceof TimestampRead answer) {
            next++;
            out.emit(answer);
            return answer.value();
        }
        return model.timestamp(vcpu, out);
    }

    @Override
    public long device(long address, int size, VcpuState vcpu, Emitter out) {
        if (next < answers.size()
                && answers.get(next) instanceof DeviceRead answer
                && answer.address() == address
                && answer.size() == size) {
            next++;
            model.skipDevice(vcpu);
            out.emit(answer);
            return answer.value();
        }
        return model.device(address, size, vcpu, out);
    }

    /// All that userspace did then, up to its reply, if that was about the same access.
    @Override
    public List<InputEvent> userspace(UserspaceMsrAsked asked, VcpuState asking) {
        for (int end = next; end < answers.size() && !parted[asking.id()]; end++) {
            if (answers.get(end) instanceof UserspaceReplied reply) {
                if (reply.msr() != asked.msr() || reply.write() != asked.write()) {
                    break;
                }
                List<InputEvent> recorded = answers.subList(next, end + 1);
                next = end + 1;
                return recorded;
            }
        }
        parted[asking.id()] = true;
        return model.userspace(asked, asking);
    }
}
