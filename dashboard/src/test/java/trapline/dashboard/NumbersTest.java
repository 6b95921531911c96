package trapline.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import trapline.engine.cost.Range;

class NumbersTest {

    @Test
    void changesHaveASign() {
        assertEquals("+1,234", Numbers.change(1234));
        assertEquals("-1,234", Numbers.change(-1234));
        assertEquals("0", Numbers.cyclesChange(-0.2));
    }

    @Test
    void sharesAreAsFineAsTheyAreSmall() {
        assertEquals("+12 %", Numbers.percent(100, 112));
        assertEquals("-1.2 %", Numbers.percent(1000, 988));
        assertEquals("+0.00013 %", Numbers.percent(22_643_350, 22_643_380));
        assertEquals("\u00d740", Numbers.percent(1, 40));
        assertEquals("-100 %", Numbers.percent(3, 0));
        assertEquals("new", Numbers.percent(0, 3));
        assertEquals("", Numbers.percent(0, 0));
    }

    @Test
    void figuresAreFineWhereTheyAreFew() {
        assertEquals("98.7", Numbers.figure(98.6956));
        assertEquals("1,500", Numbers.figure(1500));
        assertEquals("50 (42 to 85)", Numbers.figure(new Range(42, 50, 85)));
        assertEquals("50", Numbers.figure(new Range(50, 50, 50)));
    }

    @Test
    void axesHaveRoundWholeNumbers() {
        assertEquals(List.of(0.0, 500.0, 1000.0), Scale.upTo(1167).ticks());
        assertEquals(List.of(0.0, 1.0, 2.0), Scale.upTo(2).ticks());
        assertEquals("1.5M", Numbers.brief(1_500_000));
        assertEquals("20k", Numbers.brief(20_000));
        assertEquals("500", Numbers.brief(500));
    }

    @Test
    void aScaleAroundZeroHasRoomOnBothSides() {
        Scale scale = Scale.around(100, 1000, 0.5);
        assertEquals("25.000%", scale.at(0));
        assertEquals("75.000%", scale.at(1000));
        assertEquals("45.000%", scale.width(100, 1000));
    }
}
