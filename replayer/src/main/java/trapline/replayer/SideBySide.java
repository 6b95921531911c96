package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.Tally.Accesses;
import trapline.replayer.Tally.HostAccess;

/// The counts of both executions, name by name, as people compare them.
public final class SideBySide {

    private final Tally base;
    private final Tally candidate;

    private SideBySide(Tally base, Tally candidate) {
        this.base = base;
        this.candidate = candidate;
    }

    public static SideBySide of(DiffResult diff) {
        return new SideBySide(diff.base().tally(), diff.candidate().tally());
    }

    /// One name and how often it was counted on each side.
    public record Row(String name, long base, long candidate) {

        public long change() {
            return candidate - base;
        }
    }

    public Row exits() {
        return new Row("VM exits", base.exits(), candidate.exits());
    }

    public List<Row> exitsByReason() {
        return rows(tally -> {
            SortedMap<String, Long> counts = new TreeMap<>();
            tally.exitsByReason()
                    .forEach((reason, count) ->
                            counts.merge(Names.exit(tally.vendor(), reason), count, Long::sum));
            return counts;
        });
    }

    public List<Row> exitsByVcpu() {
        List<Row> rows = new ArrayList<>();
        long[] before = base.exitsByVcpu();
        long[] after = candidate.exitsByVcpu();
        for (int vcpu = 0; vcpu < before.length; vcpu++) {
            rows.add(new Row("vCPU " + vcpu, before[vcpu], after[vcpu]));
        }
        return rows;
    }

    /// Guest accesses that the hypervisor handled, by MSR and direction.
    public List<Row> msrs() {
        return rows(tally ->
                directions(tally.msrAccesses(), msr -> Msrs.name(msr.intValue()), "read", "write"));
    }

    /// Guest accesses that the hypervisor handled, by port and direction.
    public List<Row> ports() {
        return rows(tally -> directions(tally.portAccesses(), Names::hex, "in", "out"));
    }

    private static SortedMap<String, Long> directions(
            SortedMap<Long, Accesses> accesses,
            Function<Long, String> name,
            String read,
            String write) {
        SortedMap<String, Long> counts = new TreeMap<>();
        accesses.forEach((number, count) -> {
            if (count.reads() > 0) {
                counts.put(name.apply(number) + " " + read, count.reads());
            }
            if (count.writes() > 0) {
                counts.put(name.apply(number) + " " + write, count.writes());
            }
        });
        return counts;
    }

    /// All that the hypervisor itself read, or wrote.
    public Row host(boolean write) {
        return new Row(
                write ? "host WRMSR" : "host RDMSR", host(base, write), host(candidate, write));
    }

    private static long host(Tally tally, boolean write) {
        return tally.hostAccesses().stream()
                .filter(access -> access.write() == write)
                .mapToLong(HostAccess::count)
                .sum();
    }

    /// What the hypervisor itself read, or wrote, by MSR and cause.
    public List<Row> hostByMsr(boolean write) {
        return rows(tally -> {
            SortedMap<String, Long> counts = new TreeMap<>();
            for (HostAccess access : tally.hostAccesses()) {
                if (access.write() == write) {
                    String name = Msrs.name(access.msr()) + " " + access.causeName();
                    counts.merge(name, access.count(), Long::sum);
                }
            }
            return counts;
        });
    }

    /// What the hypervisor itself read and wrote, by cause and direction.
    public List<Row> hostByCause() {
        return rows(tally -> {
            SortedMap<String, Long> counts = new TreeMap<>();
            for (HostAccess access : tally.hostAccesses()) {
                String name = access.causeName() + (access.write() ? " write" : " read");
                counts.merge(name, access.count(), Long::sum);
            }
            return counts;
        });
    }

    /// Changes of fields by name, and of MSR bitmaps.
    public List<Row> mutations() {
        return rows(Tally::mutations);
    }

    /// The hypervisor's own writes to fields.
    public Row fieldWrites() {
        String name = base.vendor() == Vendor.VMX ? "VMWRITE" : "VMCB writes";
        return new Row(name, base.fieldWrites(), candidate.fieldWrites());
    }

    /// Flushes of the return-address predictor by cause.
    public List<Row> rapFlushes() {
        return rows(tally -> tally.returns().flushes());
    }

    /// What the guest's returns found in the return-address predictor.
    public List<Row> returns() {
        return rows(tally -> new TreeMap<>(tally.returns().returns()));
    }

    /// What else was counted; what happened on neither side is left out.
    public List<Row> rest() {
        List<Row> rows = new ArrayList<>();
        rest(rows, "guest ops", Tally::guestOps);
        rest(rows, "guest ops that faulted", Tally::guestFaults);
        rest(rows, "guest reads answered from the imported log", Tally::recordedValues);
        rest(rows, fieldWrites().name(), Tally::fieldWrites);
        rest(rows, "VMREAD after exits", Tally::vmreads);
        rest(rows, "MSR bitmap changes", Tally::bitmapWrites);
        rest(rows, "exits to userspace", Tally::userspaceExits);
        rest(rows, "exits to userspace over an MSR", Tally::msrExits);
        rest(rows, "vCPU loads", Tally::loads);
        rest(rows, "vCPU puts", Tally::puts);
        rest(rows, "XSETBV by the hypervisor", Tally::hostExtendedControls);
        rest(rows, "VMSAVE by the hypervisor", Tally::vmsaves);
        rest(rows, "VMLOAD by the hypervisor", Tally::vmloads);
        for (HostInstruction instruction : HostInstruction.values()) {
            String name = instruction.name().replace('_', ' ') + " by the hypervisor";
            rest(rows, name, tally -> tally.hostLoads(instruction));
        }
        rest(rows, "nested entries", Tally::nestedEntries);
        rest(rows, "exits reflected to L1", Tally::nestedExits);
        rest(rows, "VM entries that failed", tally -> tally.entryFailures().total());
        rest(rows, "host MSR accesses that faulted", SideBySide::hostFaults);
        rest(rows, "events", Tally::events);
        return rows;
    }

    private static long hostFaults(Tally tally) {
        return tally.hostFaults().stream().mapToLong(HostAccess::count).sum();
    }

    private void rest(List<Row> rows, String name, Function<Tally, Long> count) {
        Row row = new Row(name, count.apply(base), count.apply(candidate));
        if (row.base() != 0 || row.candidate() != 0) {
            rows.add(row);
        }
    }

    private List<Row> rows(Function<Tally, SortedMap<String, Long>> counts) {
        SortedMap<String, Long> before = counts.apply(base);
        SortedMap<String, Long> after = counts.apply(candidate);
        TreeSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        return names.stream()
                .map(name ->
                        new Row(name, before.getOrDefault(name, 0L), after.getOrDefault(name, 0L)))
                .toList();
    }
}
