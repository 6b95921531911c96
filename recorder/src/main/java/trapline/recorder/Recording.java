package trapline.recorder;

import java.time.InstantSource;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules;
import trapline.engine.sim.EntryFailures;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.state.MachineState;
import trapline.journal.SessionWriter;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.EventEncoder;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;
import trapline.schemas.StateCodec;

/// One session while it is recorded: each event into the log, a checkpoint every so many.
final class Recording implements EventSink {

    private static final long PROGRESS_EVENTS = 10_000;

    private final SessionHeader header;
    private final SessionWriter writer;
    private final EventEncoder encoder;
    private final InstantSource clock;
    private final ExitObserver exits;
    private final ViolationFeed violations;
    private final LongConsumer progress;
    private final EntryFailures failures = new EntryFailures();
    private MachineState machine;
    private Rules rules;
    private long checkpointEvents;
    private long guestOps;

    Recording(
            SessionHeader header,
            SessionWriter writer,
            Framing framing,
            InstantSource clock,
            LongConsumer progress) {
        this.header = header;
        this.writer = writer;
        this.progress = progress;
        encoder = new EventEncoder(framing);
        this.clock = clock;
        exits = new ExitObserver(header.session(), writer, clock);
        violations = new ViolationFeed(header.session(), writer);
    }

    void checkpointEvery(long events) {
        checkpointEvents = events;
    }

    /// @param costs under the platform's cost profile
    void of(Execution execution, EventCosts costs) {
        machine = execution.machine();
        exits.of(machine, costs);
        violations.at(clock.millis());
        rules = new Rules(machine, execution.setup(), violations);
    }

    @Override
    public void accept(Envelope envelope) {
        writer.append(encoder.encode(envelope));
        exits.accept(envelope);
        rules.accept(envelope);
        switch (envelope.event()) {
            case GuestEvent _ -> guestOps++;
            case VmEntryFailed _, UserspaceExited _ -> failures.add(envelope);
            default -> {}
        }
        long order = envelope.stamp().order();
        if (order % checkpointEvents == 0) {
            writer.checkpoint(checkpoint(order));
        }
        if (order % PROGRESS_EVENTS == 0) {
            violations.at(clock.millis());
            progress.accept(order);
        }
    }

    @Override
    public void at(Moment moment, int vcpu) {
        rules.at(moment, vcpu);
    }

    private Checkpoint checkpoint(long order) {
        return new Checkpoint(
                header.session(),
                order,
                seqs(),
                ticks(),
                0,
                encoder.chain(),
                Ingredients.MODEL_VERSION,
                StateCodec.encode(machine));
    }

    private long[] seqs() {
        long[] seqs = new long[machine.vcpus()];
        for (int vcpu = 0; vcpu < seqs.length; vcpu++) {
            seqs[vcpu] = machine.vcpu(vcpu).seq();
        }
        return seqs;
    }

    private long[] ticks() {
        long[] ticks = new long[machine.vcpus()];
        for (int vcpu = 0; vcpu < ticks.length; vcpu++) {
            ticks[vcpu] = machine.vcpu(vcpu).tick();
        }
        return ticks;
    }

    /// Closes the session, as torn where there is a reason.
    Recorded finish(String reason) {
        exits.finish();
        violations.at(clock.millis());
        violations.flush();
        writer.finish(
                new ClosingRecord(
                        machine.order(),
                        seqs(),
                        guestOps,
                        StateCodec.digest(machine),
                        encoder.chain(),
                        0,
                        reason));
        progress.accept(machine.order());
        return new Recorded(
                header.session(),
                machine.order(),
                guestOps,
                machine.vcpus(),
                reason.isEmpty(),
                failures.all(),
                rules.violations());
    }
}
