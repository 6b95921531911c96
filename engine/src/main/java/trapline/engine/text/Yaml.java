package trapline.engine.text;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Node.Place;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Node.Sequence;

/// Reads one YAML document, bounded in size and depth, without anchors, tags or duplicate keys.
public final class Yaml {

    /// The most characters a file may have.
    public static final int LARGEST = 4 * 1024 * 1024;

    private static final int DEEPEST = 100;

    /// The parser's own limits know no place, so that they come later.
    private static final int DEEPEST_PARSED = 2 * DEEPEST;

    private static final YAMLFactory FACTORY = factory();

    private final YAMLParser parser;
    private final String text;
    private final String file;

    private Yaml(YAMLParser parser, String text, String file) {
        this.parser = parser;
        this.text = text;
        this.file = file;
    }

    private static YAMLFactory factory() {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(LARGEST);
        options.setNestingDepthLimit(DEEPEST_PARSED);
        options.setMaxAliasesForCollections(0);
        return YAMLFactory.builder()
                .loaderOptions(options)
                .streamReadConstraints(
                        StreamReadConstraints.builder().maxNestingDepth(DEEPEST_PARSED).build())
                .build();
    }

    /// The document in `text`; `file` names it in errors.
    public static Node parse(String text, String file) {
        if (text.length() > LARGEST) {
            throw new InputException(
                    Kind.TOO_LARGE,
                    file,
                    "%d characters, at most %d are read".formatted(text.length(), LARGEST));
        }
        try (YAMLParser parser = FACTORY.createParser(text)) {
            Yaml yaml = new Yaml(parser, text, file);
            if (parser.nextToken() == null) {
                throw new InputException(Kind.SYNTAX, file, "the file is empty");
            }
            Node root = yaml.value(0);
            if (parser.nextToken() != null) {
                throw new InputException(
                        Kind.SYNTAX, yaml.place().toString(), "expected only one document");
            }
            return root;
        } catch (StreamConstraintsException e) {
            throw new InputException(
                    Kind.TOO_LARGE, at(e.getLocation(), file), "nested deeper than " + DEEPEST);
        } catch (JsonProcessingException e) {
            throw syntax(e, file);
        } catch (IOException e) {
            throw new InputException(Kind.SYNTAX, file, "not YAML: " + e.getMessage());
        }
    }

    private Node value(int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new InputException(
                    Kind.TOO_LARGE, place().toString(), "nested deeper than " + DEEPEST);
        }
        if (parser.getTypeId() != null || parser.getObjectId() != null) {
            throw new InputException(
                    Kind.SYNTAX,
                    place().toString(),
                    "tags and anchors are not used here; quote a text that begins with ! or &");
        }
        Place place = place();
        return switch (parser.currentToken()) {
            case START_OBJECT -> mapping(place, depth);
            case START_ARRAY -> sequence(place, depth);
            case VALUE_STRING -> new Scalar(place, alias(), isQuoted(), written());
            case VALUE_NULL -> new Scalar(place, "", false);
            default -> new Scalar(place, parser.getText(), false, written());
        };
    }

    private Written written() {
        return new Written(text, (int) parser.currentTokenLocation().getCharOffset());
    }

    private boolean isQuoted() {
        long at = parser.currentTokenLocation().getCharOffset();
        return at >= 0 && at < text.length() && "'\"".indexOf(text.charAt((int) at)) >= 0;
    }

    private String alias() throws IOException {
        if (parser.isCurrentAlias()) {
            throw new InputException(
                    Kind.SYNTAX,
                    place().toString(),
                    "aliases are not used here; quote a text that begins with *");
        }
        return parser.getText();
    }

    private Mapping mapping(Place place, int depth) throws IOException {
        SequencedMap<String, Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            Place keyPlace = place();
            parser.nextToken();
            if (entries.put(key, new Entry(keyPlace, value(depth + 1))) != null) {
                throw new InputException(
                        Kind.SYNTAX, keyPlace.toString(), "'%s' stands twice".formatted(key));
            }
        }
        return new Mapping(place, entries);
    }

    private Sequence sequence(Place place, int depth) throws IOException {
        List<Node> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(depth + 1));
        }
        return new Sequence(place, items);
    }

    private Place place() {
        JsonLocation at = parser.currentTokenLocation();
        return new Place(file, at.getLineNr(), at.getColumnNr());
    }

    private static InputException syntax(JsonProcessingException e, String file) {
        if (e.getCause() instanceof MarkedYAMLException marked
                && marked.getProblem() != null
                && marked.getProblemMark() != null) {
            Mark mark = marked.getProblemMark();
            Place place = new Place(file, mark.getLine() + 1, mark.getColumn() + 1);
            return new InputException(
                    Kind.SYNTAX, place.toString(), "not YAML: " + problem(marked));
        }
        String message = e.getOriginalMessage().lines().findFirst().orElse("");
        return new InputException(
                Kind.SYNTAX, at(e.getLocation(), file), "not YAML: " + message.strip());
    }

    /// What the parser was doing and what stopped it, on one line.
    private static String problem(MarkedYAMLException marked) {
        String context = marked.getContext() == null ? "" : marked.getContext() + ", ";
        String problem = (context + marked.getProblem()).replace('\n', ' ').strip();
        boolean tab = problem.contains("(TAB)");
        return tab ? problem + "; YAML is indented with spaces" : problem;
    }

    private static String at(JsonLocation at, String file) {
        return at == null ? file : new Place(file, at.getLineNr(), at.getColumnNr()).toString();
    }
}
