package trapline.recorder;

import java.util.LinkedHashMap;
import java.util.Map;
import trapline.engine.event.Stamp;
import trapline.engine.rule.Rules;
import trapline.journal.SessionWriter;
import trapline.schemas.ViolationObserved;

/// Tells dashboards of broken safety rules: of each way at once when it comes first, of repetitions once a second.
final class ViolationFeed implements Rules.Listener {

    /// More ways than this are told together, by rule.
    private static final int MOST = 1000;

    private static final String OTHERS = "(in other ways)";
    private static final long PATIENCE_MILLIS = 1000;

    private final String session;
    private final SessionWriter writer;
    private final Map<Way, Repeated> ways = new LinkedHashMap<>();
    private long now;
    private long flushed;

    ViolationFeed(String session, SessionWriter writer) {
        this.session = session;
        this.writer = writer;
    }

    private record Way(Rules.Name rule, int vcpu, String message) {}

    private static final class Repeated {
        private Stamp last;
        private long times;
    }

    @Override
    public void broken(Rules.Name rule, Stamp stamp, String message) {
        Way way = new Way(rule, stamp.vcpu(), message);
        Repeated known = ways.get(way);
        if (known == null && ways.size() >= MOST) {
            way = new Way(rule, stamp.vcpu(), OTHERS);
            known = ways.get(way);
        }
        if (known == null) {
            ways.put(way, new Repeated());
            tell(way, stamp, 1);
        } else {
            known.last = stamp;
            known.times++;
        }
    }

    /// The time has come so far.
    void at(long millis) {
        now = millis;
        if (millis - flushed >= PATIENCE_MILLIS) {
            flush();
        }
    }

    /// Tells what was found since.
    void flush() {
        flushed = now;
        ways.forEach((way, repeated) -> {
            if (repeated.times > 0) {
                tell(way, repeated.last, repeated.times);
                repeated.times = 0;
            }
        });
    }

    private void tell(Way way, Stamp stamp, long times) {
        writer.violation(
                new ViolationObserved(
                        session, stamp, way.rule().text(), way.message(), times, now));
    }
}
