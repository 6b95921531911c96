package trapline.engine.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.Reference;

/// A published policy never changes: sessions name it, and must mean the same next year.
///
/// A new policy, or a correction before a release, is written down with `./mvnw -pl engine test -Dtest=FrozenPoliciesTest
/// -Dgolden.update`.
class FrozenPoliciesTest {

    private static final String GOLDEN = "golden/policies.txt";

    @Test
    void builtInPoliciesAreAsPublished() throws IOException {
        StringBuilder digests = new StringBuilder();
        for (String name : published()) {
            String text = new Policies(_ -> Optional.empty()).resolve(name).identity().text();
            digests.append(sha256(text)).append("  ").append(name).append('\n');
        }
        if (Boolean.getBoolean("golden.update") || "".equals(System.getProperty("golden.update"))) {
            Files.writeString(Path.of("src/test/resources/trapline", GOLDEN), digests);
            return;
        }
        assertEquals(Reference.text(GOLDEN), digests.toString());
    }

    /// Each tree, and each variant on one tree.
    private static List<String> published() {
        List<String> names = new ArrayList<>(Policies.bases());
        for (String mechanism : Policies.mechanisms()) {
            for (String variant : Policies.variants(mechanism)) {
                names.add("kvm-6.1,%s=%s".formatted(mechanism, variant));
            }
        }
        names.add("kvm-6.1,pass-through=none");
        names.add("kvm-6.1,pass-through=+TSC_AUX-FS_BASE");
        return names;
    }

    /// What is kept of a policy is enough to have it again.
    @Test
    void keptTextIsThePolicy() {
        for (String name : published()) {
            Policy policy = new Policies(_ -> Optional.empty()).resolve(name);
            assertEquals(policy, Policies.parse(policy.identity().text()));
        }
    }

    private static String sha256(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
