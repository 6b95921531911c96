package trapline.dashboard.web;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import trapline.replayer.JsonTree;

/// Errors that the HTTP server itself answers, in the form of ours.
final class PlainErrors extends ErrorHandler {

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        SafeHeaders.addTo(response.getHeaders());
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Answers.JSON);
        Content.Sink.write(response, true, text(response.getStatus()), callback);
        return true;
    }

    private static String text(int status) {
        String phrase = HttpStatus.getMessage(status);
        return JsonTree.text(
                Answers.error("the request was refused: %d %s".formatted(status, phrase)));
    }
}
