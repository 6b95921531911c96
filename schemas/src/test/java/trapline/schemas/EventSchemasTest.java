package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Writes;
import trapline.engine.state.Vendor;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.SessionHeader.GuestKind;

/// The schemas say what the classes are.
class EventSchemasTest {

    static List<Class<?>> eventTypes() {
        return Samples.eventTypes();
    }

    @Test
    void unionHasEveryEventOnce() {
        Schema union = Schemas.of("Envelope").getField("event").schema();
        List<String> branches = union.getTypes().stream().map(Schema::getName).toList();
        List<String> types = eventTypes().stream().map(Class::getSimpleName).toList();
        assertEquals(new HashSet<>(types), new HashSet<>(branches));
        assertEquals(types.size(), branches.size());
    }

    @ParameterizedTest
    @MethodSource("eventTypes")
    void fieldsAreTheComponents(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        List<Schema.Field> fields = Schemas.of(type.getSimpleName()).getFields();
        assertEquals(
                Arrays.stream(components).map(RecordComponent::getName).toList(),
                fields.stream().map(Schema.Field::name).toList());
        for (int i = 0; i < components.length; i++) {
            assertFits(components[i], fields.get(i));
        }
    }

    private static void assertFits(RecordComponent component, Schema.Field field) {
        Class<?> type = component.getType();
        Schema schema = field.schema();
        if (type.isEnum()) {
            assertSymbols(schema, type);
        } else if (type == Writes.class) {
            assertEquals(Schemas.of("Write"), schema.getElementType());
        } else if (type.isRecord() || type == TraceFields.class) {
            assertEquals(Schemas.of(type.getSimpleName()), schema);
        } else if (type == MsrValues.class) {
            assertEquals(Schemas.of("MsrValue"), schema.getElementType());
        } else if (type == int.class && schema.getType() == Schema.Type.LONG) {
            assertTrue(
                    field.doc().toLowerCase(Locale.ROOT).contains("unsigned"),
                    () -> component + ": an int in a long is unsigned, and has to say so");
        } else {
            String expected = type == String.class ? "string" : type.getName();
            assertEquals(expected, schema.getType().getName(), component::toString);
        }
    }

    private static void assertSymbols(Schema schema, Class<?> type) {
        List<String> constants =
                Arrays.stream(type.getEnumConstants()).map(Object::toString).toList();
        assertEquals(constants, schema.getEnumSymbols(), schema::getFullName);
    }

    @Test
    void enumsOutsideOfEventsHaveTheirSymbols() {
        assertSymbols(Schemas.of("Scope"), Scope.class);
        assertSymbols(Schemas.of("SessionStatus"), Status.class);
        assertSymbols(Schemas.of("GuestKind"), GuestKind.class);
        assertSymbols(Schemas.of("ExitObserved").getField("vendor").schema(), Vendor.class);
    }

    static Iterable<Schema> schemas() {
        return Schemas.all().values();
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void everythingIsExplained(Schema schema) {
        assertExplained(schema.getDoc(), schema.getFullName());
        if (schema.getType() == Schema.Type.RECORD) {
            for (Schema.Field field : schema.getFields()) {
                assertExplained(field.doc(), schema.getName() + "." + field.name());
            }
        }
    }

    private static void assertExplained(String doc, String what) {
        assertTrue(doc != null && doc.endsWith("."), () -> what + " has no sentence: " + doc);
    }

    /// What is in no record that stands for itself would be read by nobody.
    @Test
    void everySchemaIsPublished() {
        Set<String> reached = new HashSet<>();
        Schemas.published().values().forEach(schema -> reach(schema, reached));
        assertEquals(Schemas.all().keySet(), reached);
    }

    private static void reach(Schema schema, Set<String> reached) {
        switch (schema.getType()) {
            case RECORD -> {
                if (reached.add(schema.getName())) {
                    schema.getFields().forEach(field -> reach(field.schema(), reached));
                }
            }
            case UNION -> schema.getTypes().forEach(branch -> reach(branch, reached));
            case ARRAY -> reach(schema.getElementType(), reached);
            case ENUM, FIXED -> reached.add(schema.getName());
            default -> {}
        }
    }

    static Iterable<String> topLevel() {
        return Schemas.TOP_LEVEL;
    }

    /// Readers check it before they know what stands before it.
    @ParameterizedTest
    @MethodSource("topLevel")
    void checksumIsTheLastField(String name) {
        Schema.Field last = Schemas.of(name).getFields().getLast();
        assertEquals("crc", last.name());
        assertEquals(Schemas.of("Crc32c"), last.schema());
        assertFalse(last.hasDefaultValue());
    }
}
