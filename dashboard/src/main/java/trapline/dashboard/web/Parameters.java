package trapline.dashboard.web;

import io.javalin.http.Context;
import java.util.Optional;

/// What a request's query says.
final class Parameters {

    private Parameters() {}

    static String text(Context context, String name) {
        return optional(context, name)
                .orElseThrow(() -> Problem.badRequest("%s: expected in the query", name));
    }

    static Optional<String> optional(Context context, String name) {
        return Optional.ofNullable(context.queryParam(name)).filter(text -> !text.isEmpty());
    }

    static long number(Context context, String name) {
        String text = text(context, name);
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Problem.badRequest("%s: expected a whole number, found '%s'", name, text);
        }
    }
}
