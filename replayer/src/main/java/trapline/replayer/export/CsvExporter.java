package trapline.replayer.export;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import trapline.replayer.EventFields;
import trapline.replayer.JsonTree;

/// One wide table: where the event stands, its type, and a column for each field of the types asked for.
///
/// Columns depend on what is asked for alone, not on what is found; they have the names that conditions
/// use. A field that has parts is JSON in its cell.
final class CsvExporter implements Exporter {

    private static final CsvFactory CSV = new CsvFactory();
    private static final String EVENT = "event";

    /// What a spreadsheet would take for the beginning of a formula.
    private static final String FORMULA = "=+-@\t\r";

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        EventFields fields = new EventFields(what.session().vendor());
        List<String> columns = List.copyOf(what.fields());
        try (CsvGenerator table = CSV.createGenerator(out)) {
            table.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            table.enable(CsvGenerator.Feature.STRICT_CHECK_FOR_QUOTING);
            table.setSchema(schema(columns));
            header(columns, table);
            return what.each(envelope -> row(fields.row(envelope), columns, table));
        }
    }

    /// Written by hand, so that a table without rows has one, too.
    private static void header(List<String> columns, CsvGenerator table) throws IOException {
        table.writeStartArray();
        for (String place : EventFields.PLACE) {
            table.writeString(place);
        }
        for (String column : columns) {
            table.writeString(EVENT + "." + column);
        }
        table.writeEndArray();
    }

    private static CsvSchema schema(List<String> columns) {
        CsvSchema.Builder schema = CsvSchema.builder();
        EventFields.PLACE.forEach(schema::addColumn);
        columns.forEach(column -> schema.addColumn(EVENT + "." + column));
        return schema.setLineSeparator("\n").build();
    }

    private static void row(Map<String, Object> row, List<String> columns, CsvGenerator table)
            throws IOException {
        Map<?, ?> event = (Map<?, ?>) row.get(EVENT);
        table.writeStartArray();
        for (String place : EventFields.PLACE) {
            cell(row.get(place), table);
        }
        for (String column : columns) {
            cell(event.get(column), table);
        }
        table.writeEndArray();
    }

    private static void cell(Object value, CsvGenerator table) throws IOException {
        switch (value) {
            case Map<?, ?> map -> table.writeString(JsonTree.text(map));
            case List<?> list -> table.writeString(JsonTree.text(list));
            case String text -> table.writeString(harmless(text));
            case null, default -> JsonTree.write(value, table);
        }
    }

    private static String harmless(String text) {
        return text.isEmpty() || FORMULA.indexOf(text.charAt(0)) < 0 ? text : "'" + text;
    }
}
