package trapline.engine.sim;

import trapline.engine.event.Emitter;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.Moment;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;

/// Stamps one vCPU's events, folds them into the state and passes them on.
final class Timeline implements Emitter {

    private final MachineState machine;
    private final VcpuState vcpu;
    private final EventSink sink;
    private long tick;
    private long op;
    private long cause;

    Timeline(MachineState machine, VcpuState vcpu, EventSink sink) {
        this.machine = machine;
        this.vcpu = vcpu;
        this.sink = sink;
    }

    void beginOp(long ticks) {
        op++;
        tick += ticks;
        cause = 0;
    }

    @Override
    public long tick() {
        return tick;
    }

    void advanceTo(long tick) {
        this.tick = Math.max(this.tick, tick);
    }

    @Override
    public long emit(Event event) {
        return emit(event, Scope.VCPU);
    }

    @Override
    public long emitShared(Event event) {
        return emit(event, Scope.VM);
    }

    private long emit(Event event, Scope scope) {
        long order = machine.order() + 1;
        int pcpu = event instanceof VcpuLoaded(int loaded) ? loaded : vcpu.pcpu();
        Stamp stamp = new Stamp(order, vcpu.id(), vcpu.seq() + 1, pcpu, scope, tick, op, cause);
        Envelope envelope = new Envelope(stamp, event);
        machine.apply(envelope);
        sink.accept(envelope);
        return order;
    }

    @Override
    public void at(Moment moment) {
        sink.at(moment, vcpu.id());
    }

    @Override
    public long cause() {
        return cause;
    }

    @Override
    public void causedBy(long order) {
        cause = order;
    }
}
