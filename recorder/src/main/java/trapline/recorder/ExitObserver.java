package trapline.recorder;

import java.time.InstantSource;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp;
import trapline.engine.event.Writes;
import trapline.engine.state.MachineState;
import trapline.engine.state.Vendor;
import trapline.journal.SessionWriter;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitObserved.Took;
import trapline.schemas.InterceptionObserved;

/// Makes of a session's events what dashboards are told: one record for each exit, each second's statistics, and
/// each change of interception.
final class ExitObserver {

    private final String session;
    private final SessionWriter writer;
    private final InstantSource clock;
    private final ExitSeconds seconds;
    private final boolean wanted;
    private EventCosts costs;
    private MachineState machine;
    private Open[] open;

    ExitObserver(String session, SessionWriter writer, InstantSource clock) {
        this.session = session;
        this.writer = writer;
        this.clock = clock;
        seconds = new ExitSeconds(session, writer);
        wanted = writer.keepsExits();
    }

    /// @param costs under the platform's cost profile
    void of(MachineState machine, EventCosts costs) {
        this.machine = machine;
        this.costs = costs;
        open = new Open[machine.vcpus()];
    }

    /// An exit whose entry has not come yet.
    private static final class Open {
        Stamp stamp;
        VmExited exit;
        long rip;
        Subject subject = Subject.NONE;
        boolean reflected;
        int events = 1;
        int mutations;
        int reads;
        int writes;
        boolean userspace;
        double cycles;
    }

    void accept(Envelope envelope) {
        if (!wanted) {
            return;
        }
        int vcpu = envelope.stamp().vcpu();
        if (envelope.event() instanceof MsrInterceptChanged change) {
            writer.interception(interception(envelope.stamp(), change));
        }
        if (envelope.event() instanceof VmExited exit) {
            begin(envelope.stamp(), exit);
            return;
        }
        Open current = open[vcpu];
        if (current == null) {
            return;
        }
        current.events++;
        current.cycles += costs.of(envelope.event(), true);
        switch (envelope.event()) {
            case MsrWritten e -> current.subject = msr(e.msr(), true);
            case MsrReadBack e -> current.subject = msr(e.msr(), false);
            case IoPerformed e ->
                    current.subject =
                            new Subject(
                                    Optional.empty(),
                                    Optional.of(e.write()),
                                    Optional.of(e.port()));
            case HostMsrRead _ -> current.reads++;
            case HostMsrWritten _ -> current.writes++;
            case VmcsFieldWritten _, VmcbFieldWritten _, MsrInterceptChanged _ ->
                    current.mutations++;
            case HostStateSaved e -> current.mutations += fields(e.written());
            case NestedExited _ -> current.reflected = true;
            case UserspaceExited _ -> current.userspace = true;
            case VmEntered e -> {
                current.mutations += fields(e.written());
                end(vcpu);
            }
            default -> {}
        }
    }

    private static Subject msr(int msr, boolean write) {
        return new Subject(Optional.of(msr), Optional.of(write), Optional.empty());
    }

    private InterceptionObserved interception(Stamp stamp, MsrInterceptChanged change) {
        return new InterceptionObserved(
                session,
                stamp,
                change.bitmap(),
                change.msr(),
                change.read(),
                change.write(),
                clock.millis());
    }

    /// How many fields of control structures are among them.
    private static int fields(Writes written) {
        int fields = 0;
        for (int i = 0; i < written.size(); i++) {
            if (written.place(i) >= 0) {
                fields++;
            }
        }
        return fields;
    }

    private void begin(Stamp stamp, VmExited exit) {
        Open begun = new Open();
        begun.stamp = stamp;
        begun.exit = exit;
        begun.rip = machine.vcpu(stamp.vcpu()).register(Reg.RIP);
        begun.mutations = fields(exit.written());
        begun.cycles = costs.of(exit, true);
        open[stamp.vcpu()] = begun;
    }

    private void end(int vcpu) {
        Open ended = open[vcpu];
        open[vcpu] = null;
        long now = clock.millis();
        Vendor vendor = machine.config().vendor();
        long number = ended.exit.reason();
        writer.exit(
                new ExitObserved(
                        session,
                        ended.stamp,
                        ended.exit.level(),
                        new Reason(
                                vendor,
                                number,
                                ExitSeconds.name(vendor, number),
                                ended.exit.qualification()),
                        ended.rip,
                        ended.subject,
                        new Effort(
                                ended.reflected,
                                ended.events,
                                ended.mutations,
                                ended.reads,
                                ended.writes,
                                ended.userspace),
                        now,
                        Took.cycles(Math.round(ended.cycles))));
        seconds.count(vcpu, vendor, number, now);
    }

    /// Exits whose entry never came are recorded as they stand.
    void finish() {
        for (int vcpu = 0; vcpu < open.length; vcpu++) {
            if (open[vcpu] != null) {
                end(vcpu);
            }
        }
        seconds.flush();
    }
}
