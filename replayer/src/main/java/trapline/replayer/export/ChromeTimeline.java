package trapline.replayer.export;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import trapline.replayer.JsonTree;

/// The Trace Event Format, JSON: chrome://tracing, ui.perfetto.dev and speedscope open it.
///
/// Its times are microseconds; its rows are threads of one process, and counters are known by their names.
final class ChromeTimeline implements Timeline {

    private static final JsonFactory JSON = new JsonFactory();
    private static final int PROCESS = 1;

    private final JsonGenerator json;
    private final Map<Integer, String> counters = new HashMap<>();

    ChromeTimeline(String title, OutputStream out) throws IOException {
        json = JSON.createGenerator(out);
        json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        json.writeStartObject();
        json.writeStringField("displayTimeUnit", "ns");
        json.writeArrayFieldStart("traceEvents");
        name("process_name", 0, title);
    }

    private void name(String what, int row, String name) throws IOException {
        start("M", row, what);
        json.writeObjectFieldStart("args");
        json.writeStringField("name", name);
        json.writeEndObject();
        json.writeEndObject();
    }

    private void start(String phase, int row, String name) throws IOException {
        json.writeRaw('\n');
        json.writeStartObject();
        json.writeStringField("ph", phase);
        json.writeNumberField("pid", PROCESS);
        json.writeNumberField("tid", row);
        if (!name.isEmpty()) {
            json.writeStringField("name", name);
        }
    }

    private void time(long nanos) throws IOException {
        json.writeFieldName("ts");
        String fraction = nanos % 1000 == 0 ? "" : ".%03d".formatted(Math.floorMod(nanos, 1000));
        json.writeNumber(Math.floorDiv(nanos, 1000) + fraction);
    }

    private void details(Map<String, Object> details) throws IOException {
        if (!details.isEmpty()) {
            json.writeObjectFieldStart("args");
            for (Map.Entry<String, Object> detail : details.entrySet()) {
                json.writeFieldName(detail.getKey());
                boolean tree =
                        detail.getValue() instanceof Map || detail.getValue() instanceof List;
                JsonTree.write(tree ? JsonTree.text(detail.getValue()) : detail.getValue(), json);
            }
            json.writeEndObject();
        }
    }

    @Override
    public void row(int row, String name) throws IOException {
        name("thread_name", row, name);
        start("M", row, "thread_sort_index");
        json.writeObjectFieldStart("args");
        json.writeNumberField("sort_index", row);
        json.writeEndObject();
        json.writeEndObject();
    }

    @Override
    public void counter(int counter, String name) {
        counters.put(counter, name);
    }

    @Override
    public void begin(int row, long time, String name, Map<String, Object> details, Arrows arrows)
            throws IOException {
        start("B", row, name);
        time(time);
        details(details);
        json.writeEndObject();
        for (long arrow : arrows.from()) {
            arrow("s", row, time, arrow);
        }
        if (arrows.to() != 0) {
            arrow("f", row, time, arrows.to());
        }
    }

    private void arrow(String phase, int row, long time, long number) throws IOException {
        start(phase, row, "causes");
        time(time);
        json.writeStringField("cat", "cause");
        json.writeNumberField("id", number);
        if (phase.equals("f")) {
            json.writeStringField("bp", "e");
        }
        json.writeEndObject();
    }

    @Override
    public void end(int row, long time) throws IOException {
        start("E", row, "");
        time(time);
        json.writeEndObject();
    }

    @Override
    public void instant(int row, long time, String name, Map<String, Object> details)
            throws IOException {
        start("i", row, name);
        time(time);
        json.writeStringField("s", "t");
        details(details);
        json.writeEndObject();
    }

    @Override
    public void value(int counter, long time, long value) throws IOException {
        start("C", 0, counters.get(counter));
        time(time);
        json.writeObjectFieldStart("args");
        json.writeNumberField("value", value);
        json.writeEndObject();
        json.writeEndObject();
    }

    @Override
    public void finish() throws IOException {
        json.writeRaw('\n');
        json.writeEndArray();
        json.writeEndObject();
        json.writeRaw('\n');
        json.close();
    }
}
