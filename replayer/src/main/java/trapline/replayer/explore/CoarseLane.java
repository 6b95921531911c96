package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongFunction;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.state.MachineState;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Strip;

/// One vCPU over a whole session, coarsely.
final class CoarseLane {

    private static final int MOST_ROWS = 64;
    private static final int INTERCEPTED = 3;
    private static final String[] EXITS = {"", "r", "w", "rw"};

    private final int vcpu;
    private final Bins bins;
    private final SortedMap<Long, Strip> intercepts = new TreeMap<>();
    private Values hardware;
    private Values guest;
    private int leftOut;

    CoarseLane(int vcpu, int capacity) {
        this.vcpu = vcpu;
        bins = new Bins(capacity);
    }

    void exit(long order, long reason) {
        bins.add(order, reason);
    }

    /// What the guest's SPEC_CTRL is after an event.
    void guest(long order, long value) {
        if (guest == null) {
            guest = new Values(value);
        }
        guest.add(order, value);
    }

    private void hardware(long order, long value) {
        if (hardware == null) {
            hardware = new Values(value);
        }
        hardware.add(order, value);
    }

    /// An event of the machine, of this vCPU or of one that may share its pCPU.
    void state(Envelope envelope, MachineState machine) {
        if (envelope.stamp().vcpu() != vcpu
                && machine.vcpu(vcpu).pcpu() != envelope.stamp().pcpu()) {
            return;
        }
        long order = envelope.stamp().order();
        hardware(order, machine.hardwareMsr(machine.vcpu(vcpu), Msrs.SPEC_CTRL));
        if (envelope.stamp().vcpu() == vcpu) {
            guest(order, machine.vcpu(vcpu).msr(Msrs.SPEC_CTRL));
            if (envelope.event() instanceof MsrInterceptChanged changed) {
                intercept(order, changed);
            }
        }
    }

    private void intercept(long order, MsrInterceptChanged event) {
        long key = Integer.toUnsignedLong(event.msr()) << 8 | event.bitmap();
        Strip strip = intercepts.get(key);
        if (strip == null && intercepts.size() == MOST_ROWS) {
            leftOut++;
            return;
        }
        if (strip == null) {
            strip = new Strip(INTERCEPTED);
            intercepts.put(key, strip);
        }
        strip.change(order, (event.read() ? 1 : 0) | (event.write() ? 2 : 0));
    }

    /// @param end the last event that was told
    SequencedMap<String, Object> tree(
            long from, long to, long end, int most, Set<Integer> msrs, LongFunction<String> name) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", vcpu);
        tree.put("mode", List.of());
        SequencedMap<String, Object> specCtrl = new LinkedHashMap<>();
        specCtrl.put("hardware", runs(hardware, from, to, end));
        specCtrl.put("guest", runs(guest, from, to, end));
        tree.put("specCtrl", specCtrl);
        List<Object> rows = new ArrayList<>();
        intercepts.forEach((key, strip) -> {
            int msr = (int) (key >>> 8);
            if (msrs.isEmpty() || msrs.contains(msr)) {
                SequencedMap<String, Object> row = new LinkedHashMap<>();
                row.put("bitmap", (int) (key & 0xff));
                row.put("msr", new Hex(key >>> 8));
                row.put("name", Msrs.name(msr));
                row.put("runs", Values.runs(strip, from, to, end, state -> EXITS[state]));
                rows.add(row);
            }
        });
        tree.put("intercepts", rows);
        tree.put("interceptsLeftOut", leftOut);
        tree.put("violations", List.of());
        tree.put("bins", bins.rows(from, to, end, most, name));
        return tree;
    }

    private static List<Object> runs(Values values, long from, long to, long end) {
        return values == null ? List.of() : values.runs(from, to, end);
    }
}
