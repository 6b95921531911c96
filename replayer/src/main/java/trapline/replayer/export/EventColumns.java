package trapline.replayer.export;

import static org.apache.parquet.schema.LogicalTypeAnnotation.intType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.jsonType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BOOLEAN;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT64;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import trapline.replayer.EventFields;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.JsonTree;

/// The columns of an event's row, flat, with one type each.
///
/// A field without a column, or with a value of another type than its column's, is in `fields`.
final class EventColumns {

    private static final String REST = "fields";

    /// An event's own `cause` says why the host's MSR was touched; the row's is an event.
    private static final Map<String, String> RENAMED = Map.of("cause", "hostCause");

    private enum Kind {
        NUMBER,
        UNSIGNED,
        TEXT,
        FLAG;

        boolean takes(Object value) {
            return switch (this) {
                case NUMBER -> value instanceof Long || value instanceof Integer;
                case UNSIGNED -> value instanceof Hex;
                case TEXT -> value instanceof String;
                case FLAG -> value instanceof Boolean;
            };
        }

        PrimitiveType column(String name, boolean required) {
            return switch (this) {
                case NUMBER -> of(INT64, required).named(name);
                case UNSIGNED -> of(INT64, required).as(intType(64, false)).named(name);
                case TEXT -> of(BINARY, required).as(stringType()).named(name);
                case FLAG -> of(BOOLEAN, required).named(name);
            };
        }

        private static Types.PrimitiveBuilder<PrimitiveType> of(
                PrimitiveType.PrimitiveTypeName type, boolean required) {
            return required ? Types.required(type) : Types.optional(type);
        }

        void write(Object value, RecordConsumer consumer) {
            switch (this) {
                case NUMBER -> consumer.addLong(((Number) value).longValue());
                case UNSIGNED -> consumer.addLong(((Hex) value).value());
                case TEXT -> consumer.addBinary(Binary.fromString((String) value));
                case FLAG -> consumer.addBoolean((Boolean) value);
            }
        }
    }

    private static final Map<String, Kind> PLACE = new LinkedHashMap<>();
    private static final Map<String, Kind> EVENT = new LinkedHashMap<>();

    static {
        for (String place : EventFields.PLACE) {
            boolean text = place.equals("scope") || place.equals("type");
            PLACE.put(place, text ? Kind.TEXT : Kind.NUMBER);
        }
        add(Kind.NUMBER, "time", "thread", "level", "size", "count");
        add(Kind.TEXT, "point", "reason", "msr", "field", "variable", "outcome", "hostCause");
        add(Kind.FLAG, "read", "write", "fault");
        add(Kind.UNSIGNED, "value", "old", "rip", "port", "address", "gpa", "leaf", "vector");
        add(Kind.UNSIGNED, "qualification", "info", "info1", "info2", "intrInfo", "errorCode");
    }

    static final MessageType SCHEMA = schema();

    private EventColumns() {}

    private static void add(Kind kind, String... names) {
        for (String name : names) {
            EVENT.put(name, kind);
        }
    }

    private static MessageType schema() {
        List<Type> columns = new ArrayList<>();
        PLACE.forEach((name, kind) -> columns.add(kind.column(name, true)));
        EVENT.forEach((name, kind) -> columns.add(kind.column(name, false)));
        columns.add(Types.optional(BINARY).as(jsonType()).named(REST));
        return new MessageType("event", columns);
    }

    static void write(Map<String, Object> row, RecordConsumer consumer) {
        Map<String, Object> rest = new LinkedHashMap<>();
        Map<String, Object> typed = new LinkedHashMap<>();
        for (Map.Entry<?, ?> field : ((Map<?, ?>) row.get("event")).entrySet()) {
            String name = (String) field.getKey();
            String column = RENAMED.getOrDefault(name, name);
            Kind kind = EVENT.get(column);
            boolean fits = kind != null && kind.takes(field.getValue());
            (fits ? typed : rest).put(fits ? column : name, field.getValue());
        }
        consumer.startMessage();
        int index = 0;
        for (Map.Entry<String, Kind> column : PLACE.entrySet()) {
            cell(column, index++, row.get(column.getKey()), consumer);
        }
        for (Map.Entry<String, Kind> column : EVENT.entrySet()) {
            cell(column, index++, typed.get(column.getKey()), consumer);
        }
        if (!rest.isEmpty()) {
            consumer.startField(REST, index);
            consumer.addBinary(Binary.fromString(JsonTree.text(rest)));
            consumer.endField(REST, index);
        }
        consumer.endMessage();
    }

    private static void cell(
            Map.Entry<String, Kind> column, int index, Object value, RecordConsumer consumer) {
        if (value != null) {
            consumer.startField(column.getKey(), index);
            column.getValue().write(value, consumer);
            consumer.endField(column.getKey(), index);
        }
    }
}
