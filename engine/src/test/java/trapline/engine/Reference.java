package trapline.engine;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// Tables read from the sources that the engine models, kept apart from the engine's own.
public final class Reference {

    private Reference() {}

    /// The rows of a table, each by column.
    public static List<SortedMap<String, String>> rows(String name) {
        List<String> lines = text("reference/" + name).lines().toList();
        String[] columns = lines.getFirst().split(",", -1);
        List<SortedMap<String, String>> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split(",", -1);
            SortedMap<String, String> row = new TreeMap<>();
            for (int i = 0; i < columns.length; i++) {
                row.put(columns[i], cells[i]);
            }
            rows.add(row);
        }
        return rows;
    }

    public static String text(String path) {
        try (InputStream in = Reference.class.getResourceAsStream("/trapline/" + path)) {
            assertNotNull(in, path);
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
