package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import trapline.engine.text.InputException;
import trapline.journal.JournalException;
import trapline.replayer.ReplayException;

/// What goes wrong while a request is answered, as a status and a sentence; never a trace of calls.
final class Failures implements Routes {

    @Override
    public void addTo(RoutesConfig routes) {
        routes.exception(Problem.class, (e, to) -> Answers.fail(to, e.status(), e.getMessage()));
        routes.exception(InputException.class, (e, to) -> Answers.fail(to, 400, e.getMessage()));
        routes.exception(
                ReplayException.class, (e, to) -> Answers.fail(to, status(e), e.getMessage()));
        routes.exception(
                JournalException.class, (e, to) -> Answers.fail(to, status(e), e.getMessage()));
        routes.exception(
                Exception.class, (_, to) -> Answers.fail(to, 500, "internal error of the server"));
        routes.error(404, to -> orSay(to, "nothing is at this path"));
        routes.error(405, to -> orSay(to, "this path does not take that method"));
        routes.error(413, to -> orSay(to, "the request is too large"));
    }

    private static void orSay(Context context, String sentence) {
        if (!Answers.saidWhy(context)) {
            Answers.send(context, Answers.error(sentence));
        }
    }

    private static int status(ReplayException e) {
        return switch (e.kind()) {
            case NO_SUCH_PLACE -> 404;
            case NOT_APPLICABLE -> 409;
            case DAMAGED, NEWER -> 422;
        };
    }

    private static int status(JournalException e) {
        return switch (e.kind()) {
            case NO_SESSION -> 404;
            case AMBIGUOUS -> 400;
            case DAMAGED, NEWER -> 422;
            case UNREACHABLE, REFUSED, NO_LOG, STORAGE, BUSY, CONFIGURATION -> 503;
        };
    }
}
