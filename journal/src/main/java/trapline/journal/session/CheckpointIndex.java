package trapline.journal.session;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.ToLongFunction;
import trapline.schemas.CheckpointPage;
import trapline.schemas.CheckpointRef;

/// Finds a session's checkpoints through its pages, of which few are ever loaded.
///
/// All pages but the last are full, and order, ticks and sequence numbers only grow, so that a
/// binary search over pages and one within a page find any checkpoint.
public final class CheckpointIndex {

    private static final int KEPT_PAGES = 8;

    private final int pages;
    private final IntFunction<CheckpointPage> load;
    private final Map<Integer, List<CheckpointRef>> kept = new LinkedHashMap<>();

    /// @param load a page by its number
    public CheckpointIndex(int pages, IntFunction<CheckpointPage> load) {
        this.pages = pages;
        this.load = load;
    }

    /// Of checkpoints that are all known already.
    public static CheckpointIndex of(String session, List<CheckpointRef> all) {
        return new CheckpointIndex(
                Math.ceilDiv(all.size(), CheckpointPage.SIZE),
                page -> {
                    int from = page * CheckpointPage.SIZE;
                    int to = Math.min(all.size(), from + CheckpointPage.SIZE);
                    return new CheckpointPage(session, page, all.subList(from, to));
                });
    }

    public int size() {
        return pages == 0 ? 0 : (pages - 1) * CheckpointPage.SIZE + page(pages - 1).size();
    }

    /// The checkpoint with this number, from 0.
    public CheckpointRef get(int number) {
        return page(number / CheckpointPage.SIZE).get(number % CheckpointPage.SIZE);
    }

    /// The last checkpoint whose `value` is at most `limit`.
    public Optional<CheckpointRef> last(ToLongFunction<CheckpointRef> value, long limit) {
        int low = 0;
        int high = pages - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (value.applyAsLong(page(middle).getFirst()) <= limit) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return pages == 0 ? Optional.empty() : lastIn(page(low), value, limit);
    }

    private static Optional<CheckpointRef> lastIn(
            List<CheckpointRef> refs, ToLongFunction<CheckpointRef> value, long limit) {
        int low = -1;
        int high = refs.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (value.applyAsLong(refs.get(middle)) <= limit) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low < 0 ? Optional.empty() : Optional.of(refs.get(low));
    }

    private List<CheckpointRef> page(int number) {
        List<CheckpointRef> refs = kept.get(number);
        if (refs == null) {
            refs = load.apply(number).entries();
            if (kept.size() == KEPT_PAGES) {
                kept.remove(kept.keySet().iterator().next());
            }
            kept.put(number, refs);
        }
        return refs;
    }
}
