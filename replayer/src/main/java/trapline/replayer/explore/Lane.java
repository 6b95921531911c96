package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;

/// One vCPU between two events, event by event.
final class Lane {

    /// Rows of interception beyond this are left out, and counted.
    private static final int MOST_ROWS = 64;

    private final int vcpu;
    private final Mode.Tracker tracker;
    private final long from;
    private final Runs<Mode> modes;
    private final Runs<Hex> hardware;
    private final Runs<Hex> guest;
    private final SortedMap<Long, Runs<String>> intercepts = new TreeMap<>();
    private final Set<Integer> shown;
    private int leftOut;

    /// @param tracker which has followed the vCPU up to here
    /// @param shown MSRs whose interception is wanted; empty for those that change
    Lane(MachineState machine, int vcpu, Mode.Tracker tracker, Set<Integer> shown) {
        this.vcpu = vcpu;
        this.tracker = tracker;
        this.shown = shown;
        VcpuState state = machine.vcpu(vcpu);
        from = machine.order();
        Mode mode = tracker.mode();
        modes = new Runs<>(from, new Mode(mode.name(), mode.exit(), mode.level(), state.seq()));
        hardware = new Runs<>(from, hardware(machine));
        guest = new Runs<>(from, new Hex(state.msr(Msrs.SPEC_CTRL)));
        Set<Integer> begun = shown.isEmpty() ? Set.of(Msrs.SPEC_CTRL) : shown;
        begun.forEach(msr -> intercepts.put(key(1, msr), row(state, 1, msr)));
    }

    private Hex hardware(MachineState machine) {
        return new Hex(machine.hardwareMsr(machine.vcpu(vcpu), Msrs.SPEC_CTRL));
    }

    private static long key(int bitmap, int msr) {
        return Integer.toUnsignedLong(msr) << 8 | bitmap;
    }

    private Runs<String> row(VcpuState state, int bitmap, int msr) {
        return new Runs<>(from, exits(state, bitmap, msr));
    }

    private static String exits(VcpuState state, int bitmap, int msr) {
        return exits(state.bitmap(bitmap).exits(msr, false), state.bitmap(bitmap).exits(msr, true));
    }

    private static String exits(boolean read, boolean write) {
        return (read ? "r" : "") + (write ? "w" : "");
    }

    /// An interception changes, of which the state was not asked before.
    void before(MsrInterceptChanged event, MachineState machine) {
        long key = key(event.bitmap(), event.msr());
        if (intercepts.containsKey(key) || !(shown.isEmpty() || shown.contains(event.msr()))) {
            return;
        }
        if (intercepts.size() == MOST_ROWS) {
            leftOut++;
        } else {
            intercepts.put(key, row(machine.vcpu(vcpu), event.bitmap(), event.msr()));
        }
    }

    /// An event of the machine has happened, of this vCPU or of one that may share its pCPU.
    void after(Envelope envelope, MachineState machine) {
        if (envelope.stamp().vcpu() != vcpu
                && machine.vcpu(vcpu).pcpu() != envelope.stamp().pcpu()) {
            return;
        }
        long order = envelope.stamp().order();
        hardware.change(order, hardware(machine));
        if (envelope.stamp().vcpu() != vcpu) {
            return;
        }
        VcpuState state = machine.vcpu(vcpu);
        modes.change(order, tracker.add(envelope, state));
        guest.change(order, new Hex(state.msr(Msrs.SPEC_CTRL)));
        if (envelope.event() instanceof MsrInterceptChanged e) {
            Runs<String> row = intercepts.get(key(e.bitmap(), e.msr()));
            if (row != null) {
                row.change(order, exits(e.read(), e.write()));
            }
        }
    }

    /// An event behind the lane's end, which may tell what an exit in it was about.
    void beyond(Envelope envelope, MachineState machine) {
        if (envelope.stamp().vcpu() == vcpu) {
            tracker.add(envelope, machine.vcpu(vcpu));
        }
    }

    SequencedMap<String, Object> tree(long to) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", vcpu);
        List<Object> rows = new ArrayList<>();
        modes.to(to).forEach(run -> rows.add(run.value().run(run.from(), run.to())));
        tree.put("mode", rows);
        SequencedMap<String, Object> specCtrl = new LinkedHashMap<>();
        specCtrl.put("hardware", runs(hardware, to));
        specCtrl.put("guest", runs(guest, to));
        tree.put("specCtrl", specCtrl);
        List<Object> changes = new ArrayList<>();
        intercepts.forEach((key, row) -> changes.add(intercept(key, row, to)));
        tree.put("intercepts", changes);
        tree.put("interceptsLeftOut", leftOut);
        tree.put("violations", List.of());
        return tree;
    }

    private static Map<String, Object> intercept(long key, Runs<String> row, long to) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("bitmap", (int) (key & 0xff));
        tree.put("msr", new Hex(key >>> 8));
        tree.put("name", Msrs.name((int) (key >>> 8)));
        tree.put("runs", runs(row, to));
        return tree;
    }

    static List<Object> runs(Runs<?> runs, long to) {
        List<Object> rows = new ArrayList<>();
        runs.to(to).forEach(run -> rows.add(List.of(run.from(), run.to(), run.value())));
        return rows;
    }
}
