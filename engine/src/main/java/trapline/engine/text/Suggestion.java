package trapline.engine.text;

import java.util.Collection;
import java.util.List;
import java.util.Locale;

/// Finds the known name that a user most likely meant.
public final class Suggestion {

    /// No known name is nearly as long.
    private static final int LONGEST = 100;

    private Suggestion() {}

    /// `; did you mean X?`, or nothing where no known name is near.
    public static String of(String name, Collection<String> known) {
        if (name.length() > LONGEST) {
            return "";
        }
        String wanted = name.toLowerCase(Locale.ROOT);
        String best = "";
        int bestDistance = (wanted.length() < 4 ? 1 : Math.max(2, wanted.length() / 3)) + 1;
        for (String candidate : known) {
            int distance = distance(wanted, candidate.toLowerCase(Locale.ROOT));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = candidate;
            }
        }
        if (best.isEmpty()) {
            best = begunWith(wanted, known);
        }
        return best.isEmpty() ? "" : "; did you mean " + best + "?";
    }

    /// The one name that a user typed only the beginning of, or nothing.
    private static String begunWith(String wanted, Collection<String> known) {
        List<String> longer =
                known.stream()
                        .filter(name -> name.toLowerCase(Locale.ROOT).startsWith(wanted))
                        .toList();
        return wanted.length() < 3 || longer.size() != 1 ? "" : longer.getFirst();
    }

    /// The nearest of a few known names, or else all of them.
    public static String orAll(String name, String what, Collection<String> known) {
        String near = of(name, known);
        return near.isEmpty() ? "; %s are %s".formatted(what, String.join(", ", known)) : near;
    }

    /// How many letters have to be changed, added, removed or swapped with their neighbour.
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] =
                        Math.min(d[i - 1][j - 1] + change, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1
                        && j > 1
                        && a.charAt(i - 1) == b.charAt(j - 2)
                        && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
