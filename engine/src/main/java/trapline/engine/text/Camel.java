package trapline.engine.text;

import java.util.Locale;

/// How files and JSON spell the names of constants.
public final class Camel {

    private Camel() {}

    /// `EXIT_SAVE` to `exitSave`.
    public static String of(String constant) {
        StringBuilder name = new StringBuilder();
        for (String word : constant.toLowerCase(Locale.ROOT).split("_")) {
            name.append(
                    name.isEmpty()
                            ? word
                            : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return name.toString();
    }
}
