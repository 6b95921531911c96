package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.List;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Strip;

/// Which of a few values something had when, over a whole session: `mixed` where a piece is too coarse to part them.
final class Values {

    private static final int OTHERS = 6;
    private static final String MIXED = "mixed";

    private final List<Long> values = new ArrayList<>();
    private final Strip strip;
    private long last;

    Values(long first) {
        values.add(first);
        last = first;
        strip = new Strip(0);
    }

    /// The value after an event.
    void add(long order, long value) {
        if (value != last) {
            last = value;
            strip.change(order, state(value));
        }
    }

    private int state(long value) {
        int known = values.indexOf(value);
        if (known < 0 && values.size() < OTHERS) {
            values.add(value);
            known = values.size() - 1;
        }
        return known < 0 ? OTHERS : known;
    }

    /// Runs of a range, up to the last event that was told.
    List<Object> runs(long from, long to, long end) {
        return runs(strip, from, to, end, this::name);
    }

    private Object name(int state) {
        return state == OTHERS ? MIXED : new Hex(values.get(state));
    }

    /// What a state of a strip is called.
    interface Naming {
        Object name(int state);
    }

    static List<Object> runs(Strip strip, long from, long to, long end, Naming naming) {
        List<Object> rows = new ArrayList<>();
        long until = Math.min(to, end);
        for (Strip.Span span : strip.spans(end)) {
            long begin = Math.max(from, span.first() - 1);
            long behind = Math.min(until, span.last());
            if (begin < behind) {
                rows.add(
                        List.of(
                                begin,
                                behind,
                                span.state() < 0 ? MIXED : naming.name(span.state())));
            }
        }
        return rows;
    }
}
