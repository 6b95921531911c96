package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.websocket.WsConfig;
import io.javalin.websocket.WsConnectContext;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import trapline.dashboard.live.Live;

/// Sessions as they are recorded: frames for viewers, figures of stretches of time.
final class LiveRoutes implements Routes {

    private static final int MOST_VIEWERS = 64;
    private static final int TRY_AGAIN_LATER = 1013;

    private final Live live;
    private final Map<String, Viewer> viewers = new ConcurrentHashMap<>();

    LiveRoutes(Live live) {
        this.live = live;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.ws("/api/live", this::viewer);
        routes.get("/api/live/{session}/range", this::range);
    }

    private void viewer(WsConfig socket) {
        socket.onConnect(this::come);
        socket.onClose(context -> leave(context.sessionId()));
        socket.onError(context -> leave(context.sessionId()));
    }

    private void come(WsConnectContext context) {
        if (viewers.size() >= MOST_VIEWERS) {
            context.closeSession(
                    TRY_AGAIN_LATER, "%d viewers are here already".formatted(MOST_VIEWERS));
            return;
        }
        Optional<String> session = Optional.ofNullable(context.queryParam("session"));
        Viewer viewer = new Viewer(live, session, context.session);
        viewers.put(context.sessionId(), viewer);
        viewer.start();
    }

    private void leave(String id) {
        Viewer gone = viewers.remove(id);
        if (gone != null) {
            gone.stop();
        }
    }

    private void range(Context context) {
        long from = Parameters.number(context, "from");
        long to = Parameters.number(context, "to");
        if (to <= from) {
            throw Problem.badRequest(
                    "from and to: expected from before to, found %d and %d", from, to);
        }
        String session = context.pathParam("session");
        Answers.send(
                context,
                live.range(session, from, to)
                        .orElseThrow(
                                () -> Problem.notFound("no live session is called '%s'", session)));
    }
}
