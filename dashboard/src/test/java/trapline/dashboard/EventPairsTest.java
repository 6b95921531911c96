package trapline.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.Stamp;

class EventPairsTest {

    private static List<Envelope> events(int... pcpus) {
        return IntStream.of(pcpus)
                .mapToObj(pcpu ->
                        new Envelope(
                                new Stamp(pcpu, 0, 1, 0, Stamp.Scope.VCPU, 1, 1, 0),
                                new VcpuLoaded(pcpu)))
                .toList();
    }

    private static String pairs(List<Envelope> base, List<Envelope> candidate) {
        StringBuilder text = new StringBuilder();
        for (EventPairs.Pair pair : EventPairs.of(base, candidate)) {
            text.append(number(pair.base())).append(pair.equal() ? '=' : '|');
            text.append(number(pair.candidate())).append(' ');
        }
        return text.toString().strip();
    }

    private static String number(Envelope envelope) {
        return envelope == null ? "." : Long.toString(envelope.stamp().order());
    }

    @Test
    void equalEventsStandBesideOneAnother() {
        assertEquals("1=1 2|. 3=3", pairs(events(1, 2, 3), events(1, 3)));
        assertEquals("1=1 .|2 3=3", pairs(events(1, 3), events(1, 2, 3)));
    }

    @Test
    void unequalOnesShareALine() {
        assertEquals("1=1 2|4 .|5 3=3", pairs(events(1, 2, 3), events(1, 4, 5, 3)));
        assertEquals("1|2", pairs(events(1), events(2)));
    }

    @Test
    void oneSideMayHaveNone() {
        assertEquals(".|1 .|2", pairs(events(), events(1, 2)));
        assertEquals("", pairs(events(), events()));
    }

    @Test
    void longListsAreCut() {
        List<Envelope> many = events(IntStream.range(0, 5000).toArray());
        assertEquals(EventPairs.MOST, EventPairs.of(many, many).size());
    }
}
