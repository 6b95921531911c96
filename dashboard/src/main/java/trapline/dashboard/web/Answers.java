package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.javalin.http.Context;
import java.util.Map;
import trapline.replayer.JsonTree;

/// Answers in JSON; nothing that a log says is ever sent as HTML.
final class Answers {

    static final String JSON = "application/json;charset=utf-8";

    private static final String SAID = "trapline.said";

    private Answers() {}

    /// Whether [#fail] has told why the request was refused.
    static boolean saidWhy(Context context) {
        return context.attribute(SAID) != null;
    }

    static void send(Context context, Object tree) {
        context.contentType(JSON).result(JsonTree.text(tree).getBytes(UTF_8));
    }

    static void fail(Context context, int status, String sentence) {
        context.status(status);
        context.attribute(SAID, true);
        send(context, error(sentence));
    }

    static Map<String, Object> error(String sentence) {
        return Map.of("error", sentence);
    }
}
