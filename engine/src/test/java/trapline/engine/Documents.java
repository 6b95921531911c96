package trapline.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaId;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/// The pages and schemas that users read, in the folder `docs` of the repository.
public final class Documents {

    private static final Map<String, JsonSchema> SCHEMAS = new ConcurrentHashMap<>();
    private static final YAMLMapper YAML = new YAMLMapper();

    private Documents() {}

    public static String text(String name) {
        try {
            return Files.readString(Path.of("..", "docs", name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(text(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What a schema has to say against a file in YAML.
    public static List<String> errors(String schema, String yaml) {
        try {
            return SCHEMAS
                    .computeIfAbsent(schema, Documents::schema)
                    .validate(YAML.readTree(yaml))
                    .stream()
                    .map(ValidationMessage::getMessage)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What the standard has to say against a schema.
    public static List<String> errorsOf(String schema) {
        JsonSchema standard =
                JsonSchemaFactory.getInstance(VersionFlag.V202012)
                        .getSchema(SchemaLocation.of(SchemaId.V202012));
        return standard.validate(json(schema)).stream().map(ValidationMessage::getMessage).toList();
    }

    private static JsonSchema schema(String name) {
        return JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(json(name));
    }

    /// The keys of an object in a schema.
    public static NavigableSet<String> keys(String schema, String pointer) {
        NavigableSet<String> keys = new TreeSet<>();
        json(schema).at(pointer).fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    /// The texts of an enumeration in a schema.
    public static List<String> texts(String schema, String pointer) {
        List<String> texts = new ArrayList<>();
        json(schema).at(pointer).forEach(node -> texts.add(node.asText()));
        return texts;
    }
}
