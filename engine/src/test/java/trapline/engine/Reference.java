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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Tables read from the sources that the engine models, kept apart from the engine's own.
public final class Reference {

    private static final Pattern CELL = Pattern.compile("\\G(?:^|,)(?:\"([^\"]*)\"|([^,\"]*))");

    private Reference() {}

    /// The rows of a table, each by column.
    public static List<SortedMap<String, String>> rows(String name) {
        List<String> lines = text("reference/" + name).lines().toList();
        List<String> columns = cells(lines.getFirst());
        List<SortedMap<String, String>> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            List<String> cells = cells(line);
            SortedMap<String, String> row = new TreeMap<>();
            for (int i = 0; i < columns.size(); i++) {
                row.put(columns.get(i), cells.get(i));
            }
            rows.add(row);
        }
        return rows;
    }

    /// A cell with a comma stands between quotation marks.
    private static List<String> cells(String line) {
        List<String> cells = new ArrayList<>();
        Matcher cell = CELL.matcher(line);
        while (cell.find()) {
            cells.add(cell.group(1) == null ? cell.group(2) : cell.group(1));
        }
        return cells;
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
