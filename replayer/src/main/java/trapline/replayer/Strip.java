package trapline.replayer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Which of a few states held at each guest op, in as much memory for ten ops as for ten million.
///
/// A cell stands for a power of two of ops and knows which states there were at one of them; when the cells
/// no longer reach, two become one.
public final class Strip {

    static final int CELLS = 1024;

    private final byte[] cells = new byte[CELLS];
    private int shift;
    private int state;
    private long filled;

    /// Ops from the first to the last one.
    ///
    /// @param states a bit for each state; more than one where a cell is too coarse to part them
    public record Span(long first, long last, int states) {

        /// The one state, or -1.
        public int state() {
            return Integer.bitCount(states) == 1 ? Integer.numberOfTrailingZeros(states) : -1;
        }
    }

    /// @param state the one before the first op, from 0 to 6
    public Strip(int state) {
        this.state = state;
    }

    /// From the next op on it is in another state; of several within one op the last counts.
    public void change(long op, int next) {
        fill(op);
        state = next;
    }

    /// The last one.
    public int state() {
        return state;
    }

    /// What it was at each op from 1 on.
    public List<Span> spans(long lastOp) {
        fill(lastOp);
        return spans(cells, shift, lastOp);
    }

    /// The same in at most so many spans, if need be with coarser cells.
    public List<Span> spans(long lastOp, int most) {
        List<Span> spans = spans(lastOp);
        byte[] coarse = cells.clone();
        for (int by = shift + 1; spans.size() > most; by++) {
            halve(coarse);
            spans = spans(coarse, by, lastOp);
        }
        return spans;
    }

    private static List<Span> spans(byte[] cells, int shift, long lastOp) {
        List<Span> spans = new ArrayList<>();
        int start = 0;
        int end = lastOp == 0 ? 0 : cell(lastOp, shift) + 1;
        for (int i = 1; i <= end; i++) {
            if (i == end || cells[i] != cells[start]) {
                long last = i == end ? lastOp : (long) i << shift;
                spans.add(new Span(((long) start << shift) + 1, last, cells[start]));
                start = i;
            }
        }
        return spans;
    }

    /// The state held up to this op.
    private void fill(long op) {
        if (op <= filled) {
            return;
        }
        while (cell(op, shift) >= CELLS) {
            halve(cells);
            shift++;
        }
        int last = cell(op, shift);
        for (int i = cell(filled + 1, shift); i <= last; i++) {
            cells[i] |= (byte) (1 << state);
        }
        filled = op;
    }

    private static int cell(long op, int shift) {
        return (int) Math.min(Integer.MAX_VALUE, (op - 1) >>> shift);
    }

    private static void halve(byte[] cells) {
        for (int i = 0; i < CELLS / 2; i++) {
            cells[i] = (byte) (cells[2 * i] | cells[2 * i + 1]);
        }
        Arrays.fill(cells, CELLS / 2, CELLS, (byte) 0);
    }
}
