package trapline.engine.state;

import java.util.Arrays;

/// A small set of numbers, kept sorted.
public final class LongSet {

    private long[] elements = new long[0];

    LongSet() {}

    public boolean contains(long element) {
        return Arrays.binarySearch(elements, element) >= 0;
    }

    public long[] elements() {
        return elements.clone();
    }

    void add(long element) {
        int at = Arrays.binarySearch(elements, element);
        if (at < 0) {
            long[] grown = Arrays.copyOf(elements, elements.length + 1);
            System.arraycopy(grown, ~at, grown, ~at + 1, elements.length - ~at);
            grown[~at] = element;
            elements = grown;
        }
    }

    LongSet copy() {
        LongSet copy = new LongSet();
        copy.elements = elements;
        return copy;
    }
}
