package trapline.dashboard.web;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.eclipse.jetty.http.HttpFields;

/// What every answer tells browsers: scripts and styles come from here alone, and nobody frames, sniffs or
/// keeps what is said.
final class SafeHeaders {

    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
                    + " frame-ancestors 'none'";

    private static final SequencedMap<String, String> ALL = new LinkedHashMap<>();

    static {
        ALL.put("Content-Security-Policy", POLICY);
        ALL.put("X-Content-Type-Options", "nosniff");
        ALL.put("X-Frame-Options", "DENY");
        ALL.put("Referrer-Policy", "no-referrer");
        ALL.put("Cross-Origin-Opener-Policy", "same-origin");
        ALL.put("Cross-Origin-Resource-Policy", "same-origin");
        ALL.put("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
        ALL.put("Cache-Control", "no-store");
    }

    private SafeHeaders() {}

    static Map<String, String> all() {
        return ALL;
    }

    static void addTo(HttpFields.Mutable headers) {
        ALL.forEach(headers::put);
    }
}
