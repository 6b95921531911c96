package trapline.dashboard.web;

import java.net.BindException;

/// Nobody can listen there: the port is taken, or the address is not this machine's.
public final class NoListener extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private NoListener(String message, Throwable cause) {
        super(message, cause);
    }

    static RuntimeException of(RuntimeException thrown, Listen listen) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException
                    || cause.getClass().getSimpleName().contains("Bind")) {
                return new NoListener(
                        "cannot listen on %s:%d: %s; --listen 127.0.0.1:0 takes a free port"
                                .formatted(
                                        listen.address().getHostAddress(),
                                        listen.port(),
                                        reason(cause)),
                        thrown);
            }
        }
        return thrown;
    }

    private static String reason(Throwable cause) {
        return cause instanceof BindException
                ? String.valueOf(cause.getMessage()).toLowerCase(java.util.Locale.ROOT)
                : "the port is taken";
    }
}
