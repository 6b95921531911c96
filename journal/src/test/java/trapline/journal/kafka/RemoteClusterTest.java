package trapline.journal.kafka;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.SessionHeader;

class RemoteClusterTest {

    private final RemoteCluster cluster = new RemoteCluster("127.0.0.1:9092");

    @Test
    void silenceOfHalfAMinuteIsTheEnd() {
        assertFalse(cluster.isAbandoned(heard(25_000)));
        assertTrue(cluster.isAbandoned(heard(31_000)));
    }

    private static CatalogueEntry heard(long millisAgo) {
        SessionHeader header =
                new SessionHeader(
                        "s",
                        0,
                        new SessionHeader.Versions("test", 1),
                        new SessionHeader.Guest(SessionHeader.GuestKind.SCENARIO, "g", 1),
                        new SessionHeader.Machine("Icelake-Server", 1, 1),
                        "kvm-6.12",
                        Optional.empty(),
                        List.of());
        return new CatalogueEntry(
                header,
                CatalogueEntry.Status.OPEN,
                System.currentTimeMillis() - millisAgo,
                0,
                0,
                0,
                0,
                Optional.empty());
    }
}
