package trapline.dashboard.live;

import java.util.Locale;
import java.util.Optional;
import trapline.engine.cpu.Platforms;
import trapline.engine.text.InputException;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.SessionHeader;

/// What the catalogue says of a session.
///
/// @param acknowledged how many events its recorder knew to be in the log, at its last heartbeat
record About(
        String guest,
        String guestKind,
        String platform,
        String policy,
        Status status,
        long created,
        int vcpus,
        boolean imported,
        long heartbeatMillis,
        long acknowledged) {

    /// Of a session that tells of its exits and is in no catalogue.
    static About unknown(long now) {
        return new About("?", "?", "?", "?", Status.OPEN, now, 0, false, now, 0);
    }

    static About of(CatalogueEntry entry) {
        SessionHeader header = entry.header();
        return new About(
                header.guest().name(),
                header.guest().kind().name().toLowerCase(Locale.ROOT),
                header.machine().platform(),
                header.policy(),
                entry.status(),
                header.createdMillis(),
                entry.vcpus(),
                header.imported(),
                entry.heartbeatMillis(),
                entry.acknowledged());
    }

    /// The cost profile that projects its times; empty where nobody knows.
    String costs() {
        try {
            return new Platforms(_ -> Optional.empty()).resolve(platform).description().costs();
        } catch (InputException e) {
            return "";
        }
    }

    boolean open() {
        return status == Status.OPEN;
    }

    /// Whether a viewer could tell it from another; heartbeats alone are none of theirs.
    boolean looksLike(About other) {
        return status == other.status
                && vcpus == other.vcpus
                && created == other.created
                && guest.equals(other.guest)
                && platform.equals(other.platform)
                && policy.equals(other.policy);
    }
}
