package trapline.dashboard.web;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Where the server listens, and what of it strangers need.
///
/// @param port 0 for any that is free
/// @param names further names under which browsers find it
/// @param token what who asks must have, if anything
public record Listen(
        InetAddress address,
        int port,
        Set<String> names,
        Optional<Tls> tls,
        Optional<String> token) {

    /// So short a token might be guessed.
    public static final int SHORTEST_TOKEN = 32;

    public static Listen loopback(int port) {
        return new Listen(
                InetAddress.getLoopbackAddress(),
                port,
                Set.of(),
                Optional.empty(),
                Optional.empty());
    }

    /// What must be given besides, before anybody beyond this machine may ask.
    public List<String> missing() {
        List<String> missing = new ArrayList<>();
        if (!address.isLoopbackAddress()) {
            if (tls.isEmpty()) {
                missing.add("--tls-key and --tls-cert");
            }
            if (token.isEmpty()) {
                missing.add("--token-file");
            }
        }
        return missing;
    }

    String scheme() {
        return tls.isPresent() ? "https" : "http";
    }
}
