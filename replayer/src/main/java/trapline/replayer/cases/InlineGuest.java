package trapline.replayer.cases;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import trapline.engine.text.InputException;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Place;

/// A scenario that stands in a case's own file.
///
/// @param name what the case calls it
/// @param block whether it stands below its name, as the file's own lines
public record InlineGuest(String name, String text, Place place, int indent, boolean block) {

    private static final Pattern PLACE = Pattern.compile("(.*):(\\d+):(\\d+)");

    static InlineGuest of(String name, Node node, List<String> file) {
        int line = node.place().line();
        boolean block =
                line < file.size()
                        && file.get(line - 1).strip().matches(".*[|>][-+]?")
                        && !(node instanceof Node.Scalar scalar && scalar.quoted());
        String first = block ? file.get(line) : "";
        int indent = first.length() - first.stripLeading().length();
        return new InlineGuest(name, node.text(), node.place(), indent, block);
    }

    /// An error in the scenario, at its place in the case's file.
    public InputException here(InputException e) {
        Matcher inside = PLACE.matcher(e.place());
        if (!inside.matches() || !inside.group(1).equals(name)) {
            return e;
        }
        Place at =
                block
                        ? new Place(
                                place.file(),
                                place.line() + Integer.parseInt(inside.group(2)),
                                indent + Integer.parseInt(inside.group(3)))
                        : place;
        return new InputException(
                e.kind(), at.toString(), e.getMessage().substring(e.place().length() + 2));
    }
}
