package trapline.engine.sim;

import java.util.List;
import java.util.function.Supplier;
import trapline.engine.cpu.World;
import trapline.engine.event.Emitter;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.guest.SplitMix64;
import trapline.engine.guest.Vmm;
import trapline.engine.state.VcpuState;

/// The world as pure functions of the seed: what is asked for the n-th time is always answered alike.
public final class ModelWorld implements World {

    private static final long DEVICE = 1;
    private static final long TSC = 2;

    private final long seed;
    private final SplitMix64[] devices;
    private final Supplier<Vmm> scenario;
    private Vmm vmm;

    public ModelWorld(long seed, int vcpus) {
        this(seed, vcpus, () -> Vmm.PLAIN);
    }

    /// @param vmm the userspace around the guest; asked for when it is needed
    public ModelWorld(long seed, int vcpus, Supplier<Vmm> vmm) {
        this.seed = seed;
        scenario = vmm;
        devices = new SplitMix64[vcpus];
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            devices[vcpu] = SplitMix64.of(seed, vcpu, DEVICE);
        }
    }

    /// One count for each guest instruction, from a start of the vCPU's own.
    @Override
    public long timestamp(VcpuState vcpu, Emitter out) {
        long start = SplitMix64.of(seed, vcpu.id(), TSC).next() >>> 24;
        long value = start + out.tick();
        out.emit(new TimestampRead(value));
        return value;
    }

    /// Some value of the right size.
    @Override
    public long device(long address, int size, VcpuState vcpu, Emitter out) {
        long bits = devices[vcpu.id()].next();
        long value = size >= 8 ? bits : bits & ((1L << (8 * size)) - 1);
        out.emit(new DeviceRead(address, size, value));
        return value;
    }

    @Override
    public List<InputEvent> userspace(UserspaceMsrAsked asked, VcpuState vcpu) {
        if (vmm == null) {
            vmm = scenario.get();
        }
        return vmm.answer(asked, vcpu);
    }

    /// Passes over an answer that was recorded.
    public void skipDevice(VcpuState vcpu) {
        devices[vcpu.id()].next();
    }
}
