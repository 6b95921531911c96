package trapline.replayer.explore;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Moment;
import trapline.engine.event.Stamp;
import trapline.engine.rule.Rules;
import trapline.engine.sim.EventSink;
import trapline.replayer.Reexecution;
import trapline.replayer.Session;

/// Where a session broke safety rules.
///
/// Rules judge at moments that no event tells of, so that the session is executed again beside; what comes out has to
/// be what was recorded, or it says so and judges no further.
final class Judgement implements Background.Reader {

    /// More are counted only.
    private static final int MOST = 250_000;

    private final Reexecution again;
    private final Rules rules;
    private final Ways ways = new Ways();
    private long[] orders = new long[64];
    private long[] seqs = new long[64];
    private int[] kindOf = new int[64];
    private int size;
    private long leftOut;
    private long executed;
    private long read;
    private boolean ended;
    private String problem = "";

    /// One of them.
    ///
    /// @param count how often it was found so in the same piece of a picture
    record Broken(long order, int vcpu, long seq, String rule, String message, long count) {

        SequencedMap<String, Object> tree() {
            SequencedMap<String, Object> tree = new LinkedHashMap<>();
            tree.put("order", order);
            tree.put("vcpu", vcpu);
            tree.put("seq", seq);
            tree.put("rule", rule);
            tree.put("message", message);
            tree.put("count", count);
            return tree;
        }
    }

    Judgement(Session session) {
        again = new Reexecution(session, sink());
        rules = new Rules(again.execution().machine(), again.execution().setup(), this::broken);
    }

    private EventSink sink() {
        return new EventSink() {
            @Override
            public void accept(Envelope envelope) {
                executed = envelope.stamp().order();
                rules.accept(envelope);
            }

            @Override
            public void at(Moment moment, int vcpu) {
                rules.at(moment, vcpu);
            }
        };
    }

    private void broken(Rules.Name rule, Stamp stamp, String message) {
        if (size == MOST) {
            leftOut++;
            return;
        }
        if (size == orders.length) {
            orders = Arrays.copyOf(orders, 2 * size);
            seqs = Arrays.copyOf(seqs, 2 * size);
            kindOf = Arrays.copyOf(kindOf, 2 * size);
        }
        int kind = ways.number(rule, stamp.vcpu(), message);
        int at = size++;
        while (at > 0 && orders[at - 1] > stamp.order()) {
            orders[at] = orders[at - 1];
            seqs[at] = seqs[at - 1];
            kindOf[at] = kindOf[at - 1];
            at--;
        }
        orders[at] = stamp.order();
        seqs[at] = stamp.seq();
        kindOf[at] = kind;
    }

    @Override
    public synchronized boolean event(Envelope envelope) {
        read = envelope.stamp().order();
        if (!again.accept(envelope)) {
            problem = "executed again, the session does not come out as it was recorded";
            ended = true;
        }
        return !ended;
    }

    @Override
    public synchronized void end(Optional<String> trouble) {
        ended = true;
        trouble.ifPresent(text -> problem = text);
    }

    /// What kept it from judging all, if anything did.
    synchronized Optional<String> problem() {
        return Optional.of(problem).filter(text -> !text.isEmpty());
    }

    synchronized double ready(long last) {
        return ended || read >= last ? 1 : (double) read / last;
    }

    /// How many there are besides those that are told.
    synchronized long leftOut() {
        return leftOut;
    }

    /// Whether all is known of an event.
    synchronized boolean knows(long order) {
        return known() >= order;
    }

    /// Everything up to this event is known: steps are executed whole, each moment behind one of its events.
    synchronized long known() {
        return ended ? Long.MAX_VALUE : Math.min(executed, read);
    }

    /// Those behind an event up to another. A step may run ahead of its recording; that is not told yet.
    ///
    /// @param piece such of one kind that are within so many events are told as one
    synchronized List<Broken> between(long from, long to, long piece) {
        SequencedMap<List<Long>, Broken> found = new LinkedHashMap<>();
        for (int at = first(from); at < size && orders[at] <= Math.min(to, read); at++) {
            Broken one = broken(at);
            found.merge(
                    List.of((long) kindOf[at], orders[at] / piece),
                    one,
                    (known, _) ->
                            new Broken(
                                    known.order(),
                                    known.vcpu(),
                                    known.seq(),
                                    known.rule(),
                                    known.message(),
                                    known.count() + 1));
        }
        return List.copyOf(found.values());
    }

    private Broken broken(int at) {
        Ways.Way way = ways.of(kindOf[at]);
        return new Broken(orders[at], way.vcpu(), seqs[at], way.rule().text(), way.message(), 1);
    }

    /// The place of the first one behind an event.
    private int first(long order) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (orders[middle] > order) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /// The first one behind an event; null where none is known.
    ///
    /// @param vcpu -1 for any
    synchronized Broken next(long order, int vcpu) {
        for (int at = first(order); at < size && orders[at] <= read; at++) {
            if (vcpu < 0 || ways.of(kindOf[at]).vcpu() == vcpu) {
                return broken(at);
            }
        }
        return null;
    }

    /// The last one before an event; null where none is known.
    synchronized Broken previous(long order, int vcpu) {
        for (int at = first(Math.min(order - 1, read)) - 1; at >= 0; at--) {
            if (vcpu < 0 || ways.of(kindOf[at]).vcpu() == vcpu) {
                return broken(at);
            }
        }
        return null;
    }
}
