package trapline.fleet;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/// Asks a worker, and follows nobody's lead.
final class Http {

    private Http() {}

    /// The status of an answer, or 0 where there is none.
    static int status(String address) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(address).toURL().openConnection();
            connection.setInstanceFollowRedirects(false);
            return connection.getResponseCode();
        } catch (IOException e) {
            return 0;
        }
    }
}
