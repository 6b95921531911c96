package trapline.replayer.export;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.io.OutputStream;
import trapline.replayer.EventFields;
import trapline.replayer.JsonTree;

/// JSON Lines: an object for each event.
final class JsonExporter implements Exporter {

    private static final JsonFactory JSON = new JsonFactory();
    private static final SerializedString NEWLINE = new SerializedString("\n");

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        EventFields fields = new EventFields(what.session().vendor());
        try (JsonGenerator rows = JSON.createGenerator(out)) {
            rows.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            rows.setRootValueSeparator(NEWLINE);
            long count = what.each(envelope -> JsonTree.write(fields.row(envelope), rows));
            if (count > 0) {
                rows.writeRaw('\n');
            }
            return count;
        }
    }
}
