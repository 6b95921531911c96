package trapline.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Rows of cells under each other, as wide as their contents.
final class Table {

    private final boolean[] right;
    private final List<String[]> rows = new ArrayList<>();

    /// @param alignment one letter a column: `l` or `r`
    Table(String alignment) {
        right = new boolean[alignment.length()];
        for (int i = 0; i < right.length; i++) {
            right[i] = alignment.charAt(i) == 'r';
        }
    }

    Table row(Object... cells) {
        String[] texts = new String[right.length];
        Arrays.fill(texts, "");
        for (int i = 0; i < cells.length; i++) {
            texts[i] = cells[i] instanceof Number n ? number(n.longValue()) : cells[i].toString();
        }
        rows.add(texts);
        return this;
    }

    /// With a comma every three digits.
    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    @Override
    public String toString() {
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String padding = " ".repeat(widths[i] - row[i].length());
                line.append(i == 0 ? "" : "  ")
                        .append(right[i] ? padding + row[i] : row[i] + padding);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
