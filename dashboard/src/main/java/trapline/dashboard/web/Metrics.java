package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import trapline.dashboard.live.Live;

/// What Prometheus scrapes, as text or in OpenMetrics' form.
final class Metrics implements Routes {

    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Live live;

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
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        writer.write(out, live.metrics(), EscapingScheme.UNDERSCORE_ESCAPING);
        context.contentType(writer.getContentType()).result(out.toByteArray());
    }
}
