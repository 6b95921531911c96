package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import trapline.dashboard.live.Live;

/// Whether the server can do what it is for.
final class Health implements Routes {

    private final Live live;
    private final boolean open;

    /// @param open whether everybody who can ask may know why
    Health(Live live, boolean open) {
        this.live = live;
        this.open = open;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/healthz", this::answer);
    }

    private void answer(Context context) {
        Optional<String> trouble = live.trouble();
        context.status(trouble.isEmpty() ? 200 : 503);
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("ok", trouble.isEmpty());
        trouble.ifPresent(why -> tree.put("error", open ? why : "the log does not answer"));
        Answers.send(context, tree);
    }
}
