package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Kvm;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;

/// What one vCPU does at a time: a run of a lane.
///
/// @param name `guest`, `l2`, `exit`, `put`, `halted`, `entryFailed`, or `host` where no exit is known
/// @param exit what it is handled for; null where nothing is
/// @param seq the vCPU's event that began it, or where the vCPU stands when the lane begins
record Mode(String name, Exit exit, int level, long seq) {

    /// One exit, whose subject shows only when its op ends.
    static final class Exit {

        private final String reason;
        private final int level;
        private String subject = "";

        /// One that began before anybody looked.
        static Exit unknown(int level) {
            return new Exit(null, level);
        }

        Exit(String reason, int level) {
            this.reason = reason;
            this.level = level;
        }

        void subject(String text) {
            subject = subject.isEmpty() ? " " + text : subject;
        }

        /// Null where it is not known.
        String label() {
            return reason == null ? null : reason + subject;
        }
    }

    /// Such runs are one, whatever began them.
    private boolean isSame(Mode other) {
        return name.equals(other.name) && exit == other.exit && level == other.level;
    }

    List<Object> run(long from, long to) {
        List<Object> run = new ArrayList<>(6);
        run.add(from);
        run.add(to);
        run.add(name);
        run.add(exit == null ? null : exit.label());
        run.add(level);
        run.add(seq);
        return run;
    }

    /// Follows one vCPU from event to event.
    static final class Tracker {

        private final Vendor vendor;
        private Exit exit;
        private boolean failed;
        private Mode mode;

        Tracker(Vendor vendor, VcpuState vcpu) {
            this.vendor = vendor;
            boolean outside = vcpu.mode() == VcpuState.Mode.ROOT && vcpu.kvm(Kvm.EXITS) != 0;
            exit = outside ? Exit.unknown(vcpu.level()) : null;
            mode = of(vcpu);
        }

        /// Whether an exit is under way that began before anybody looked.
        boolean isUnknown() {
            return exit != null && exit.reason == null;
        }

        Mode mode() {
            return mode;
        }

        /// What it is after the next event of the vCPU.
        Mode add(Envelope envelope, VcpuState vcpu) {
            switch (envelope.event()) {
                case VmExited e -> {
                    exit = new Exit(Names.exit(vendor, e.reason()), e.level());
                    failed = false;
                }
                case VmEntered _ -> {
                    exit = null;
                    failed = false;
                }
                case VmEntryFailed _ -> failed = true;
                case MsrWritten e -> subject(Msrs.name(e.msr()));
                case MsrReadBack e -> subject(Msrs.name(e.msr()));
                case IoPerformed e -> subject(Names.hex(e.port()));
                default -> {}
            }
            Mode next = of(vcpu);
            mode = next.isSame(mode) ? mode : next;
            return mode;
        }

        private void subject(String text) {
            if (exit != null) {
                exit.subject(text);
            }
        }

        private Mode of(VcpuState vcpu) {
            return switch (vcpu.mode()) {
                case GUEST ->
                        new Mode(
                                vcpu.level() == 1 ? "guest" : "l2", null, vcpu.level(), vcpu.seq());
                case HALTED -> new Mode("halted", null, vcpu.level(), vcpu.seq());
                case ROOT ->
                        new Mode(
                                root(vcpu),
                                exit,
                                exit == null ? vcpu.level() : exit.level,
                                vcpu.seq());
            };
        }

        private String root(VcpuState vcpu) {
            if (failed) {
                return "entryFailed";
            }
            if (!vcpu.is(Kvm.LOADED)) {
                return "put";
            }
            return exit == null ? "host" : "exit";
        }
    }
}
