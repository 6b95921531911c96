package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.text.InputException;

/// The policies that viewers brought, in memory alone: the newest fifty.
///
/// A name in a request means one that is built in or one of these, never a file.
final class Uploads {

    static final String PREFIX = "upload:";

    private static final int MOST = 50;
    private static final int HASH_BYTES = 8;

    private final Map<String, Upload> uploads =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Upload> eldest) {
                    return size() > MOST;
                }
            };

    /// @param id what requests name it by
    /// @param name what people call it
    record Upload(String id, String name, String text) {}

    /// Keeps a policy that reads well.
    ///
    /// @throws InputException if it does not
    Upload add(String name, String text) {
        Upload upload = new Upload(PREFIX + hash(text), name, text);
        check(upload);
        synchronized (uploads) {
            uploads.put(upload.id(), upload);
        }
        return upload;
    }

    private void check(Upload upload) {
        try {
            Policies all =
                    new Policies(
                            id -> id.equals(upload.id()) ? Optional.of(upload.text()) : text(id));
            all.resolve(upload.id()).specCtrl().check();
        } catch (InputException e) {
            String message = e.getMessage().replace(upload.id(), upload.name());
            throw new InputException(e.kind(), "", message);
        }
    }

    /// The policy that a request's words mean.
    Policy resolve(String expression) {
        Policy policy = new Policies(this::text).resolve(expression);
        policy.specCtrl().check();
        return policy;
    }

    private Optional<String> text(String id) {
        synchronized (uploads) {
            return Optional.ofNullable(uploads.get(id)).map(Upload::text);
        }
    }

    List<Upload> all() {
        synchronized (uploads) {
            return new ArrayList<>(uploads.values());
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
