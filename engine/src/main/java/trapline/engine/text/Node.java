package trapline.engine.text;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeSet;
import trapline.engine.text.InputException.Kind;

/// A value of a YAML file that knows its place. Every accessor throws [InputException] with it.
public sealed interface Node {

    /// So many names are told at once.
    int FEW = 8;

    Place place();

    /// A position in a file, counted from 1.
    record Place(String file, int line, int column) {
        @Override
        public String toString() {
            return file + ":" + line + ":" + column;
        }
    }

    /// @param quoted whether a quotation mark stands at its place
    /// @param written where its characters stand
    record Scalar(Place place, String text, boolean quoted, Written written) implements Node {

        /// A text that no file has as it stands.
        public Scalar(Place place, String text, boolean quoted) {
            this(place, text, quoted, Written.NOWHERE);
        }

        /// Where the character at an offset of the text stands, or where the text begins if that is all that is known.
        public Place place(int offset) {
            return written.place(text, offset, place);
        }
    }

    record Sequence(Place place, List<Node> items) implements Node {}

    /// Keys keep the file's order; each has a place of its own.
    record Mapping(Place place, SequencedMap<String, Entry> entries) implements Node {}

    record Entry(Place keyPlace, Node value) {}

    default InputException error(Kind kind, String format, Object... arguments) {
        return new InputException(
                kind, place().toString(), String.format(java.util.Locale.ROOT, format, arguments));
    }

    default InputException expected(String what) {
        return error(Kind.SYNTAX, "expected %s, found %s", what, describe());
    }

    private String describe() {
        return switch (this) {
            case Scalar s -> s.text().isEmpty() ? "nothing" : "'" + abridged(s.text()) + "'";
            case Sequence _ -> "a list";
            case Mapping _ -> "a mapping";
        };
    }

    /// A text from outside as errors show it, however long it is.
    static String abridged(String text) {
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }

    default String text() {
        if (this instanceof Scalar s) {
            return s.text();
        }
        throw expected("a text");
    }

    default boolean bool() {
        if (this instanceof Scalar(_, String text, _, _)) {
            if (text.equals("true") || text.equals("false")) {
                return text.equals("true");
            }
        }
        throw expected("true or false");
    }

    /// A number in decimal or, after `0x`, in hexadecimal, up to 64 bits; negative ones in decimal.
    default long number() {
        if (!(this instanceof Scalar scalar)) {
            throw expected("a whole number");
        }
        String text = scalar.text().replace("_", "");
        try {
            if (text.startsWith("0x") || text.startsWith("0X")) {
                return Long.parseUnsignedLong(text.substring(2), 16);
            }
            return text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw expected("a whole number of up to 64 bits");
        }
    }

    default long number(long least, long most) {
        long number = number();
        if (number < least || number > most) {
            throw error(
                    Kind.SYNTAX, "expected a number from %d to %d, found %s", least, most, text());
        }
        return number;
    }

    default List<Node> items() {
        if (this instanceof Sequence s) {
            return s.items();
        }
        throw expected("a list");
    }

    default SequencedMap<String, Entry> entries() {
        if (this instanceof Mapping m) {
            return m.entries();
        }
        throw expected("a mapping");
    }

    default Optional<Node> find(String key) {
        return Optional.ofNullable(entries().get(key)).map(Entry::value);
    }

    default Node require(String key) {
        return find(key).orElseThrow(() -> error(Kind.SYNTAX, "'%s' is missing", key));
    }

    /// One of some names; anything else is an error that suggests the nearest, or where they are few names them all.
    default String oneOf(Collection<String> known, String what) {
        String name = text();
        if (!known.contains(name)) {
            throw error(
                    Kind.UNKNOWN_NAME,
                    "unknown %s '%s'%s",
                    what,
                    abridged(name),
                    known.size() <= FEW
                            ? "; expected " + anyOf(known)
                            : Suggestion.of(name, known));
        }
        return name;
    }

    /// `a, b or c`.
    static String anyOf(Collection<?> known) {
        List<String> names = known.stream().map(Object::toString).toList();
        int last = names.size() - 1;
        return last < 1
                ? String.join("", names)
                : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    /// Refuses keys that the grammar does not have here.
    default void allow(String what, Collection<String> known) {
        for (Map.Entry<String, Entry> entry : entries().entrySet()) {
            if (!known.contains(entry.getKey())) {
                throw new InputException(
                        Kind.UNKNOWN_NAME,
                        entry.getValue().keyPlace().toString(),
                        "unknown key '%s' in %s%s"
                                .formatted(
                                        abridged(entry.getKey()),
                                        what,
                                        Suggestion.of(entry.getKey(), new TreeSet<>(known))));
            }
        }
    }

    /// A text, or each text of a list.
    default List<Node> oneOrMore() {
        return this instanceof Sequence s ? s.items() : new ArrayList<>(List.of(this));
    }
}
