package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import trapline.replayer.Strip.Span;

class StripTest {

    @Test
    void aChangeHoldsFromTheNextOpOn() {
        Strip strip = new Strip(3);
        strip.change(0, 2);
        strip.change(4, 0);
        strip.change(4, 1);
        assertEquals(List.of(new Span(1, 4, 1 << 2), new Span(5, 9, 1 << 1)), strip.spans(9));
        assertEquals(List.of(new Span(1, 4, 1 << 2), new Span(5, 12, 1 << 1)), strip.spans(12));
    }

    @Test
    void nothingRanNothingHeld() {
        assertEquals(List.of(), new Strip(3).spans(0));
        assertEquals(List.of(new Span(1, 1, 1 << 3)), new Strip(3).spans(1));
    }

    @Test
    void asManyOpsAsThereAreCellsAreTold() {
        Strip strip = new Strip(0);
        strip.change(Strip.CELLS - 1, 1);
        assertEquals(
                List.of(new Span(1, Strip.CELLS - 1, 1), new Span(Strip.CELLS, Strip.CELLS, 2)),
                strip.spans(Strip.CELLS));
    }

    /// One op more than cells: two ops share each, so ops 1 to 3 of state 0 and then 1 are cells {1, 2}
    /// of 0, {3, 4} of both and the rest of 1.
    @Test
    void wherePairsOfOpsShareACellItKnowsBothStates() {
        Strip strip = new Strip(0);
        strip.change(3, 1);
        long last = Strip.CELLS + 1;
        List<Span> spans = strip.spans(last);
        assertEquals(List.of(new Span(1, 2, 1), new Span(3, 4, 3), new Span(5, last, 2)), spans);
        assertEquals(List.of(0, -1, 1), spans.stream().map(Span::state).toList());
    }

    @Test
    void spansAreThoseOfTheFullHistory() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 50; round++) {
            int ops = 1 + random.nextInt(20_000);
            int[] states = new int[ops + 1];
            Strip strip = new Strip(0);
            int state = 0;
            for (int op = 1; op <= ops; op++) {
                states[op] = state;
                if (random.nextInt(300) == 0) {
                    state = random.nextInt(4);
                    strip.change(op, state);
                }
            }
            holds(states, strip.spans(ops));
            List<Span> few = strip.spans(ops, 10);
            holds(states, few);
            assertTrue(few.size() <= 10);
            assertEquals(strip.spans(ops), strip.spans(ops, Strip.CELLS));
        }
    }

    private static void holds(int[] states, List<Span> spans) {
        long next = 1;
        for (Span span : spans) {
            assertEquals(next, span.first());
            int seen = 0;
            for (long op = span.first(); op <= span.last(); op++) {
                seen |= 1 << states[(int) op];
            }
            assertEquals(seen, span.states());
            next = span.last() + 1;
        }
        assertEquals(states.length, next);
    }
}
