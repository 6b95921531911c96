package trapline.engine.table;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads one of our own tables: a heading, then rows, with quotes only where a cell has a comma.
public final class Csv {

    private Csv() {}

    /// The rows of `tables/name`, without the heading.
    public static List<String[]> rows(String name) {
        try (InputStream in = Csv.class.getResourceAsStream("/trapline/tables/" + name)) {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            int columns = cells(lines.readLine()).length;
            List<String[]> rows = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] cells = cells(line);
                if (cells.length != columns) {
                    throw new IllegalStateException(
                            name + " row " + (rows.size() + 2) + ": " + line);
                }
                rows.add(cells);
            }
            return rows;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String[] cells(String line) {
        if (line.indexOf('"') < 0) {
            return line.split(",", -1);
        }
        List<String> cells = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                cells.add(cell.toString());
                cell.setLength(0);
            } else {
                cell.append(c);
            }
        }
        cells.add(cell.toString());
        return cells.toArray(String[]::new);
    }

    public static int hex(String cell) {
        return Integer.parseUnsignedInt(cell.substring(2), 16);
    }
}
