package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import trapline.dashboard.live.Live;

/// What Prometheus scrapes, as text or in OpenMetrics' form: made one at a time, for all who ask within a second.
final class Metrics implements Routes {

    private static final long KEPT_NANOS = 1_000_000_000;

    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Live live;
    private final ReentrantLock making = new ReentrantLock();
    private final Map<String, Made> made = new HashMap<>();

    private record Made(byte[] text, long nanos) {}

    Metrics(Live live) {
        this.live = live;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/metrics", this::answer);
    }

    private void answer(Context context) throws IOException {
        String accept = String.valueOf(context.header("Accept"));
        boolean open = accept.contains("application/openmetrics-text");
        ExpositionFormatWriter writer =
                open
                        ? formats.getOpenMetricsTextFormatWriter()
                        : formats.getPrometheusTextFormatWriter();
        context.contentType(writer.getContentType()).result(text(writer));
    }

    private byte[] text(ExpositionFormatWriter writer) throws IOException {
        making.lock();
        try {
            Made last = made.get(writer.getContentType());
            if (last == null || System.nanoTime() - last.nanos() >= KEPT_NANOS) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                writer.write(out, live.metrics(), EscapingScheme.UNDERSCORE_ESCAPING);
                last = new Made(out.toByteArray(), System.nanoTime());
                made.put(writer.getContentType(), last);
            }
            return last.text();
        } finally {
            making.unlock();
        }
    }
}
