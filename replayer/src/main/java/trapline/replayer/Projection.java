package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.Range;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.table.Msrs;
import trapline.replayer.Tally.HostAccess;

/// What an execution's events cost under a cost profile.
///
/// @param lines one for each kind of action that happened
public record Projection(CostProfile profile, List<Line> lines) {

    /// @param cause what users see it summed up under
    /// @param figure the profile's figure that was used
    public record Line(String cause, String figure, long count, Range cycles) {}

    public static Projection of(Tally tally, CostProfile profile) {
        Builder builder = new Builder(profile);
        builder.add("exit", "exit", tally.exits());
        for (Map.Entry<Long, Long> exit : tally.exitsByReason().entrySet()) {
            String name = Names.exit(tally.vendor(), exit.getKey());
            builder.add("handler." + name, profile.keyOf("handler", name), exit.getValue());
        }
        for (HostAccess access : tally.hostAccesses()) {
            String action = access.write() ? "host-wrmsr" : "host-rdmsr";
            String msr = Msrs.name(access.msr());
            String figure =
                    profile.keyOf(action, access.causeName() + "." + msr, access.causeName(), msr);
            builder.add("hostMsr." + access.causeName(), figure, access.count());
        }
        builder.add(
                "hostMsr.xsetbv",
                profile.keyOf("host-wrmsr", "xsetbv"),
                tally.hostExtendedControls());
        builder.add("fieldWrites", "field-write", tally.fieldWrites());
        builder.add("vmread", profile.vmread(), tally.vmreads());
        builder.add("msrBitmapWrites", "msr-bitmap-write", tally.bitmapWrites());
        builder.add("userspace", "userspace", tally.userspaceExits());
        builder.add("vcpuLoad", "vcpu-load", tally.loads());
        builder.add("vcpuPut", "vcpu-put", tally.puts());
        builder.add("vmsave", "vmsave", tally.vmsaves());
        builder.add("vmload", "vmload", tally.vmloads());
        for (HostInstruction instruction : HostInstruction.values()) {
            String action = action(instruction);
            String figure = profile.keyOf(action, instruction.name());
            builder.add(
                    Names.camel(action.replace('-', '_')), figure, tally.hostLoads(instruction));
        }
        builder.add("nestedEntry", "nested-entry", tally.nestedEntries());
        builder.add("nestedExit", "nested-exit", tally.nestedExits());
        profile.keyOfRapFlush()
                .ifPresent(figure -> builder.add("rapFlush", figure, tally.returns().asked()));
        return new Projection(profile, List.copyOf(builder.lines));
    }

    private static String action(HostInstruction instruction) {
        return switch (instruction) {
            case WRGSBASE -> "wrgsbase";
            case LTR -> "tr-reload";
            case LLDT, MOV_FS, MOV_GS -> "segment-load";
        };
    }

    public Range total() {
        return lines.stream().map(Line::cycles).reduce(Range.ZERO, Range::plus);
    }

    public SortedMap<String, Range> byCause() {
        SortedMap<String, Range> byCause = new TreeMap<>();
        for (Line line : lines) {
            byCause.merge(line.cause(), line.cycles(), Range::plus);
        }
        return byCause;
    }

    /// How often each figure of the profile was used.
    public SortedMap<String, Long> byFigure() {
        SortedMap<String, Long> byFigure = new TreeMap<>();
        for (Line line : lines) {
            byFigure.merge(line.figure(), line.count(), Long::sum);
        }
        return byFigure;
    }

    private static final class Builder {
        private final CostProfile profile;
        private final List<Line> lines = new ArrayList<>();

        Builder(CostProfile profile) {
            this.profile = profile;
        }

        void add(String cause, String figure, long count) {
            if (count != 0) {
                Range cycles = profile.figure(figure).range().times(count);
                lines.add(new Line(cause, figure, count, cycles));
            }
        }
    }
}
