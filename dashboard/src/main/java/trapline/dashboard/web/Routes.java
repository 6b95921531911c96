package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;

/// Some paths and what answers them; [WebServer] has the list of all.
interface Routes extends AutoCloseable {

    void addTo(RoutesConfig routes);

    /// Nobody asks any more.
    @Override
    default void close() {}
}
