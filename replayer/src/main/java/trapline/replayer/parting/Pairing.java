package trapline.replayer.parting;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.replayer.EventFields;
import trapline.replayer.Session;

/// Reads two sessions side by side and pairs their events, vCPU by vCPU in each one's own order.
public final class Pairing implements AutoCloseable {

    /// Events shown before and after.
    static final int CONTEXT = 3;

    /// Events of the second session that are held at most while the first is at another vCPU.
    static final int HELD = 100_000;

    private final EventFields baseFields;
    private final EventFields candidateFields;
    private final Ignored ignored;
    private final Feed base;
    private final Feed candidate;
    private final Map<Integer, Deque<Envelope>> pending = new TreeMap<>();
    private final Map<Integer, Deque<Envelope[]>> same = new TreeMap<>();
    private int held;
    private long compared;

    /// What came of it.
    ///
    /// @param parting where they part, if they do
    /// @param compared pairs that count as the same
    /// @param complete false where the sessions' vCPUs run too far apart to be held
    public record Result(Optional<Parting> parting, long compared, boolean complete) {}

    public Pairing(Session base, Session candidate, Ignored ignored) {
        this.ignored = ignored;
        baseFields = new EventFields(base.vendor());
        candidateFields = new EventFields(candidate.vendor());
        this.base = new Feed(base, ignored);
        this.candidate = new Feed(candidate, ignored);
    }

    /// The first event, in the first session's order, that has no like.
    public Result run(LongConsumer progress) {
        for (Envelope event = base.next(); event != null; event = base.next()) {
            int vcpu = event.stamp().vcpu();
            Envelope other = nextOf(vcpu);
            if (held > HELD) {
                return new Result(Optional.empty(), compared, false);
            }
            List<String> differences = differences(event, other);
            if (!differences.isEmpty()) {
                return found(vcpu, differences, event, other);
            }
            remember(vcpu, event, other);
            if (++compared % 10_000 == 0) {
                progress.accept(compared);
            }
        }
        Envelope rest = rest();
        return rest == null
                ? new Result(Optional.empty(), compared, true)
                : found(rest.stamp().vcpu(), List.of("type"), null, rest);
    }

    private List<String> differences(Envelope event, Envelope other) {
        return other == null
                ? List.of("type")
                : ignored.differences(event, baseFields, other, candidateFields);
    }

    private void remember(int vcpu, Envelope event, Envelope other) {
        Deque<Envelope[]> last = same.computeIfAbsent(vcpu, _ -> new ArrayDeque<>());
        last.add(new Envelope[] {event, other});
        if (last.size() > CONTEXT) {
            last.remove();
        }
    }

    /// The second session's next event of a vCPU, or null; those of others are held.
    private Envelope nextOf(int vcpu) {
        Deque<Envelope> waiting = pending.get(vcpu);
        if (waiting != null && !waiting.isEmpty()) {
            held--;
            return waiting.remove();
        }
        Envelope event = candidate.next();
        while (event != null && event.stamp().vcpu() != vcpu && held <= HELD) {
            pending.computeIfAbsent(event.stamp().vcpu(), _ -> new ArrayDeque<>()).add(event);
            held++;
            event = candidate.next();
        }
        return event;
    }

    /// The first that the second session has beyond the first one's end, or null.
    private Envelope rest() {
        Optional<Deque<Envelope>> earliest =
                pending.values().stream()
                        .filter(waiting -> !waiting.isEmpty())
                        .min(Comparator.comparingLong(waiting -> waiting.peek().stamp().order()));
        return earliest.map(Deque::remove).orElseGet(candidate::next);
    }

    private Result found(int vcpu, List<String> differences, Envelope event, Envelope other) {
        Deque<Envelope[]> last = same.getOrDefault(vcpu, new ArrayDeque<>());
        Parting parting =
                new Parting(
                        vcpu,
                        compared,
                        differences,
                        Optional.ofNullable(event),
                        Optional.ofNullable(other),
                        last.stream().map(pair -> pair[0]).toList(),
                        last.stream().map(pair -> pair[1]).toList(),
                        event == null ? List.of() : following(vcpu),
                        other == null ? List.of() : followingCandidate(vcpu));
        return new Result(Optional.of(parting), compared, true);
    }

    private List<Envelope> following(int vcpu) {
        List<Envelope> after = new ArrayList<>();
        Envelope event = base.next();
        for (int i = 0; i < HELD && event != null && after.size() < CONTEXT; i++) {
            if (event.stamp().vcpu() == vcpu) {
                after.add(event);
            }
            event = base.next();
        }
        return after;
    }

    private List<Envelope> followingCandidate(int vcpu) {
        List<Envelope> after = new ArrayList<>();
        Envelope event = nextOf(vcpu);
        while (event != null && event.stamp().vcpu() == vcpu && after.size() < CONTEXT) {
            after.add(event);
            event = after.size() < CONTEXT ? nextOf(vcpu) : null;
        }
        return after;
    }

    @Override
    public void close() {
        base.close();
        candidate.close();
    }
}
