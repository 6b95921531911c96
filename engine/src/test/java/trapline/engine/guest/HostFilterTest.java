package trapline.engine.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.text.Yaml;

/// From the op `host-filter` to what KVM gets, and what such a filter decides.
class HostFilterTest {

    private static MsrFilter filter(String yaml) {
        return ((MsrFilterRequested) HostFilter.requests(Yaml.parse(yaml, "test")).getLast())
                .filter();
    }

    private static MsrFilterRange range(int base, int count, long... bits) {
        return new MsrFilterRange(true, true, base, count, bits);
    }

    @Test
    void rangesStandInTheOrderOfTheFile() {
        assertEquals(
                List.of(
                        range(0x48, 1, 0),
                        new MsrFilterRange(false, true, 0x49, 2, new long[] {0}),
                        range(0x10a, 1, 1),
                        range(0x100, 70, -1, 0x3f),
                        range(0x200, 3, 0b010),
                        range(0x200, 3, 0b101),
                        range(0x300, 2, 0),
                        range(0x400, 65, 0, 0)),
                filter(
                                """
                                deny: [0x48, {msr: 0x49, count: 2, access: w}]
                                allow: IA32_ARCH_CAPABILITIES
                                ranges:
                                  - {base: 0x100, count: 70, allow: all}
                                  - {base: 0x200, count: 3, allow: 0x201}
                                  - {base: 0x200, count: 3, deny: [0x201]}
                                  - {base: 0x300, count: 2}
                                  - {base: 0x400, count: 65, deny: all}
                                """)
                        .ranges());
    }

    /// KVM_ENABLE_CAP first, so that the filter's denials do not raise #GP in between.
    @Test
    void isTwoIoctls() {
        assertEquals(
                List.of(
                        new MsrExitsRequested(5),
                        new MsrFilterRequested(new MsrFilter(false, List.of()))),
                HostFilter.requests(
                        Yaml.parse("{default: allow, user-exits: [filter, inval]}", "test")));
        assertEquals(
                List.of(new MsrExitsRequested(2)),
                HostFilter.requests(Yaml.parse("user-exits: unknown", "test")));
    }

    /// FACTS 2.6: the first range that is about MSR and kind of access decides, else the default; a range of no MSR is
    /// about nothing; the x2APIC is exempt.
    @ParameterizedTest
    @CsvSource({
        "0x47, r, false",
        "0x48, r, true",
        "0x48, w, false",
        "0x49, r, true",
        "0x49, w, true",
        "0x4a, r, false",
        "0xc0000100, r, true",
        "0xc0000101, r, false",
        "0xc0000102, r, true",
        "0x7ff, r, true",
        "0x800, r, false",
        "0x8ff, w, false",
        "0x900, w, true"
    })
    void firstMatchDecides(String msr, String access, boolean denied) {
        MsrFilter filter =
                filter(
                        """
                        ranges:
                          - {base: 0x48, count: 0, deny: all}
                          - {base: 0x48, access: r, deny: all}
                          - {base: 0x48, count: 1, access: w, allow: all}
                          - {base: 0x48, count: 2, deny: all}
                          - {base: FS_BASE, count: 3, allow: [GS_BASE]}
                          - {base: 0x700, count: 0x300, deny: all}
                        """);
        assertEquals(denied, filter.denies(Long.decode(msr).intValue(), access.equals("w")));
    }

    @Test
    void defaultDecidesWhereNoRangeIs() {
        MsrFilter filter = filter("{default: deny, allow: [0x48]}");
        assertEquals(false, filter.denies(0x48, true));
        assertEquals(true, filter.denies(0x49, true));
        assertEquals(true, filter.denies(0xffff_ffff, false));
        assertEquals(false, filter.denies(0x830, true));
        assertEquals(false, MsrFilter.NONE.denies(0x48, false));
    }
}
