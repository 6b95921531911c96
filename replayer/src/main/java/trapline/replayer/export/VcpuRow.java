package trapline.replayer.export;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import trapline.replayer.export.Timeline.Arrows;

/// One vCPU's row: an exit is a slice until the next entry, with what it caused inside, and arrows there.
///
/// Forms want to know of all arrows when a slice begins, so an exit is held back until its entry, or until it
/// has caused more than anybody looks at: what follows then has no arrow.
final class VcpuRow {

    private static final int MOST_HELD = 10_000;

    /// What happened in an exit. Without a width it is an instant; with a cause, an arrow comes from there.
    private record Effect(
            long order,
            long cause,
            long time,
            long width,
            String name,
            Map<String, Object> details) {}

    private final Timeline timeline;
    private final int row;
    private final List<Effect> held = new ArrayList<>();
    private boolean open;
    private boolean begun;
    private boolean inL2;
    private long exit;
    private long exitTime;
    private String exitName;
    private Map<String, Object> exitDetails;
    private long last;

    VcpuRow(Timeline timeline, int row) {
        this.timeline = timeline;
        this.row = row;
    }

    /// The guest is left. One that was left already was not seen to be entered again.
    void exit(long order, long time, String name, Map<String, Object> details) throws IOException {
        close(time);
        open = true;
        begun = false;
        exit = order;
        exitTime = time;
        exitName = name;
        exitDetails = details;
    }

    /// The exit under way gets a more exact name.
    void name(String more) {
        if (open && !begun && exitName.indexOf(' ') < 0) {
            exitName += " " + more;
        }
    }

    /// Whether an exit is under way.
    boolean outside() {
        return open;
    }

    void slice(
            long order, long cause, long time, long width, String name, Map<String, Object> details)
            throws IOException {
        add(new Effect(order, cause, time, width, name, details));
    }

    void instant(long order, long time, String name, Map<String, Object> details)
            throws IOException {
        add(new Effect(order, 0, time, -1, name, details));
    }

    private void add(Effect effect) throws IOException {
        last = Math.max(last, effect.time());
        if (open && !begun) {
            held.add(effect);
            if (held.size() == MOST_HELD) {
                release();
            }
        } else {
            draw(effect, false);
        }
    }

    /// The guest is entered; from here on `level` runs, 0 where nobody knows.
    void entry(long time, int level) throws IOException {
        close(time);
        if (level == 2 && !inL2) {
            timeline.begin(row, time, "L2", Map.of(), Arrows.NONE);
            inL2 = true;
        } else if (level == 1 && inL2) {
            timeline.end(row, time);
            inL2 = false;
        }
    }

    /// The row ends here.
    void finish(long time) throws IOException {
        close(Math.max(time, last));
        entry(Math.max(time, last), 1);
    }

    private void close(long time) throws IOException {
        if (open) {
            release();
            timeline.end(row, Math.max(time, Math.max(last, exitTime)));
            open = false;
        }
        last = Math.max(last, time);
    }

    private void release() throws IOException {
        if (begun) {
            return;
        }
        long[] effects =
                held.stream()
                        .filter(effect -> effect.cause() == exit && effect.width() >= 0)
                        .mapToLong(Effect::order)
                        .toArray();
        timeline.begin(row, exitTime, exitName, exitDetails, new Arrows(effects, 0));
        for (Effect effect : held) {
            draw(effect, effect.cause() == exit);
        }
        held.clear();
        begun = true;
    }

    private void draw(Effect effect, boolean arrow) throws IOException {
        if (effect.width() < 0) {
            timeline.instant(row, effect.time(), effect.name(), effect.details());
        } else {
            Arrows arrows = arrow ? new Arrows(new long[0], effect.order()) : Arrows.NONE;
            timeline.begin(row, effect.time(), effect.name(), effect.details(), arrows);
            timeline.end(row, effect.time() + effect.width());
        }
    }
}
