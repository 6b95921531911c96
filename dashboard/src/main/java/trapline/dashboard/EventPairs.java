package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Envelope;

/// The events of one op on both sides, equal ones beside one another.
final class EventPairs {

    /// Longer lists are cut, so that a page stays a page.
    static final int MOST = 200;

    private final List<Envelope> base;
    private final List<Envelope> candidate;
    private final List<Pair> pairs = new ArrayList<>();
    private int nextBase;
    private int nextCandidate;

    private EventPairs(List<Envelope> base, List<Envelope> candidate) {
        this.base = cut(base);
        this.candidate = cut(candidate);
    }

    /// Two events of one line; null where a side has none there.
    record Pair(Envelope base, Envelope candidate) {

        boolean equal() {
            return base != null && candidate != null && base.event().equals(candidate.event());
        }
    }

    static List<Pair> of(List<Envelope> base, List<Envelope> candidate) {
        return new EventPairs(base, candidate).align();
    }

    private static List<Envelope> cut(List<Envelope> events) {
        return events.subList(0, Math.min(MOST, events.size()));
    }

    private List<Pair> align() {
        int[][] common = longestCommon();
        int i = 0;
        int j = 0;
        while (i < base.size() && j < candidate.size()) {
            if (same(i, j)) {
                apart(i, j);
                pairs.add(new Pair(base.get(i++), candidate.get(j++)));
                nextBase = i;
                nextCandidate = j;
            } else if (common[i + 1][j] >= common[i][j + 1]) {
                i++;
            } else {
                j++;
            }
        }
        apart(base.size(), candidate.size());
        return pairs;
    }

    private boolean same(int i, int j) {
        return base.get(i).event().equals(candidate.get(j).event());
    }

    /// The length of the longest common subsequence from each pair of places to the ends.
    private int[][] longestCommon() {
        int[][] common = new int[base.size() + 1][candidate.size() + 1];
        for (int i = base.size() - 1; i >= 0; i--) {
            for (int j = candidate.size() - 1; j >= 0; j--) {
                common[i][j] =
                        same(i, j)
                                ? common[i + 1][j + 1] + 1
                                : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        return common;
    }

    /// What only one side has, up to these places.
    private void apart(int untilBase, int untilCandidate) {
        while (nextBase < untilBase || nextCandidate < untilCandidate) {
            pairs.add(
                    new Pair(
                            nextBase < untilBase ? base.get(nextBase++) : null,
                            nextCandidate < untilCandidate
                                    ? candidate.get(nextCandidate++)
                                    : null));
        }
    }
}
