package trapline.replayer.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import trapline.engine.rule.Rules;

/// However many messages there are, few are kept.
class WaysTest {

    @Test
    void messagesBehindTheFirstThousandAreToldTogether() {
        Ways ways = new Ways();
        for (int value = 0; value < 5000; value++) {
            ways.number(Rules.Name.HOST_PT, value % 2, "value " + value);
        }
        assertEquals(7, ways.number(Rules.Name.HOST_PT, 1, "value 7"));
        assertEquals(new Ways.Way(Rules.Name.HOST_PT, 1, "value 7"), ways.of(7));
        assertEquals(1000, ways.number(Rules.Name.HOST_PT, 0, "value 4000"));
        assertEquals(1001, ways.number(Rules.Name.HOST_PT, 1, "value 4001"));
        assertEquals(1002, ways.number(Rules.Name.HOST_TR, 1, "another rule"));
        assertEquals(new Ways.Way(Rules.Name.HOST_PT, 1, "in other ways"), ways.of(1001));
    }
}
