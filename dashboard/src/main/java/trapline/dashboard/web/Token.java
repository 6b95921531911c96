package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/// The secret that who asks must have: as it is, or as the cookie that stands for it in browsers.
///
/// Compared in constant time. Who guesses wrong ten times in a minute is not asked again in that minute.
final class Token {

    static final String COOKIE = "trapline";

    private static final int MOST_FAILURES = 10;
    private static final int MOST_ADDRESSES = 10_000;
    private static final long MINUTE = 60_000;

    private final byte[] digest;
    private final String cookie;
    private final LongSupplier millis;
    private final Map<String, Failures> failures =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Failures> eldest) {
                    return size() > MOST_ADDRESSES;
                }
            };

    /// @param since when the first of them was
    private record Failures(long since, int count) {}

    Token(String secret, LongSupplier millis) {
        digest = digest(secret);
        cookie = HexFormat.of().formatHex(digest("cookie " + secret));
        this.millis = millis;
    }

    /// What a browser is given in place of the token, which cannot be told from it.
    String cookie() {
        return cookie;
    }

    boolean isCookie(String offered) {
        return MessageDigest.isEqual(digest(offered), digest(cookie));
    }

    /// @throws Problem if this address has guessed wrong too often
    synchronized boolean accepts(String offered, String address) {
        long now = millis.getAsLong();
        Failures before = failures.getOrDefault(address, new Failures(now, 0));
        if (now - before.since() >= MINUTE) {
            before = new Failures(now, 0);
        }
        if (before.count() >= MOST_FAILURES) {
            throw new Problem(
                    429, "too many wrong tokens from this address: try again in a minute");
        }
        if (MessageDigest.isEqual(digest(offered), digest)) {
            failures.remove(address);
            return true;
        }
        failures.put(address, new Failures(before.since(), before.count() + 1));
        return false;
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
