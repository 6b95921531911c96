package trapline.engine.sim;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.Stamp;

/// The VM entries of an execution that failed: at which check, where first, and how often.
public final class EntryFailures {

    /// Linux's KVM_EXIT_FAIL_ENTRY: the hypervisor gives the vCPU up.
    private static final int EXIT_FAIL_ENTRY = 9;

    private final Map<Key, Failure> failures = new LinkedHashMap<>();
    private Key last;
    private long total;

    private record Key(int vcpu, int level, String check) {}

    /// @param level 1 for the guest, 2 for the guest's guest
    /// @param first where it failed first
    /// @param stopped whether the vCPU never ran again
    public record Failure(int level, String check, Stamp first, long count, boolean stopped) {

        /// In a user's words.
        public String describe() {
            return "vCPU %d: VM entry to L%d failed at the check %s, event %d (op %d)%s%s"
                    .formatted(
                            first.vcpu(),
                            level,
                            check,
                            first.order(),
                            first.op(),
                            count == 1 ? "" : ", the first of " + count,
                            stopped ? "; the vCPU stopped there" : "");
        }
    }

    public void add(Envelope envelope) {
        Stamp stamp = envelope.stamp();
        if (envelope.event() instanceof VmEntryFailed failed) {
            total++;
            last = new Key(stamp.vcpu(), failed.level(), failed.check());
            Failure one = new Failure(failed.level(), failed.check(), stamp, 1, false);
            failures.merge(last, one, (a, _) -> more(a));
        } else if (last != null
                && envelope.event() instanceof UserspaceExited(int reason)
                && reason == EXIT_FAIL_ENTRY) {
            failures.computeIfPresent(last, (_, a) -> stopped(a));
        }
    }

    private static Failure more(Failure a) {
        return new Failure(a.level(), a.check(), a.first(), a.count() + 1, a.stopped());
    }

    private static Failure stopped(Failure a) {
        return new Failure(a.level(), a.check(), a.first(), a.count(), true);
    }

    public long total() {
        return total;
    }

    /// One for each vCPU, level and check, in the order in which they came first.
    public List<Failure> all() {
        return List.copyOf(failures.values());
    }
}
