package trapline.engine.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;

/// Userspace's MSR filter, and of what it wants to be told, as numbers and back.
///
/// Key 0 is the default, 1 the reasons; a range's keys begin at its number, from 1, times 2³².
final class FilterSection {

    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int BASE = 1;
    private static final int COUNT = 2;
    private static final int WORDS = 3;

    private FilterSection() {}

    static Section of(String name, VmState vm) {
        List<long[]> entries = new ArrayList<>();
        add(entries, 0, vm.msrFilter.deniesByDefault() ? 1 : 0);
        add(entries, 1, vm.msrExits);
        for (int i = 0; i < vm.msrFilter.ranges().size(); i++) {
            MsrFilterRange range = vm.msrFilter.ranges().get(i);
            long first = (i + 1L) << 32;
            // The only entry that is there whatever its value: it says that there is a range.
            entries.add(
                    new long[] {first, (range.read() ? READ : 0) | (range.write() ? WRITE : 0)});
            add(entries, first + BASE, Integer.toUnsignedLong(range.base()));
            add(entries, first + COUNT, range.count());
            for (int word = 0; word < range.bitmap().length; word++) {
                add(entries, first + WORDS + word, range.bitmap()[word]);
            }
        }
        return new Section(
                name,
                entries.stream().mapToLong(entry -> entry[0]).toArray(),
                entries.stream().mapToLong(entry -> entry[1]).toArray());
    }

    private static void add(List<long[]> entries, long key, long value) {
        if (value != 0) {
            entries.add(new long[] {key, value});
        }
    }

    static void restore(VmState vm, Section section) {
        List<MsrFilterRange> ranges = new ArrayList<>();
        for (long key : section.keys()) {
            if (key >= 1L << 32 && (int) key == 0) {
                ranges.add(range(section, key));
            }
        }
        vm.msrExits = (int) value(section, 1);
        MsrFilter filter = new MsrFilter(value(section, 0) != 0, ranges);
        vm.msrFilter = filter.isEmpty() ? MsrFilter.NONE : filter;
    }

    private static MsrFilterRange range(Section section, long first) {
        long access = value(section, first);
        int count = (int) value(section, first + COUNT);
        if (count < 0 || count > MsrFilterRange.MOST) {
            throw new IllegalArgumentException("a range of %d MSRs".formatted(count));
        }
        long[] bitmap = new long[MsrFilterRange.words(count)];
        for (int word = 0; word < bitmap.length; word++) {
            bitmap[word] = value(section, first + WORDS + word);
        }
        return new MsrFilterRange(
                (access & READ) != 0,
                (access & WRITE) != 0,
                (int) value(section, first + BASE),
                count,
                bitmap);
    }

    private static long value(Section section, long key) {
        int at = Arrays.binarySearch(section.keys(), key);
        return at < 0 ? 0 : section.values()[at];
    }
}
