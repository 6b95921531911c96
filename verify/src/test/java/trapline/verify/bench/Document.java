package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/// What a command that goes on by itself says first, as JSON.
final class Document {

    private Document() {}

    static JsonNode of(Child process) throws IOException {
        StringBuilder document = new StringBuilder();
        String line;
        do {
            line = process.line();
            document.append(line);
        } while (!line.equals("}"));
        return Json.read(document.toString());
    }
}
