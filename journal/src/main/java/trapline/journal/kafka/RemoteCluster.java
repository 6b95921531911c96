package trapline.journal.kafka;

import java.util.List;
import java.util.Optional;
import trapline.journal.JournalException;
import trapline.schemas.CatalogueEntry;

/// Brokers somewhere else. That a recorder has gone is told by its silence.
///
/// @param address as a user wrote it: `host:port`, several with commas
public record RemoteCluster(String address) implements Cluster {

    /// How old a recorder's last sign of life may be.
    private static final long SILENCE_MILLIS = 30_000;

    @Override
    public String location() {
        return "kafka:" + address;
    }

    @Override
    public Optional<JournalException> fault() {
        return Optional.empty();
    }

    @Override
    public void checkRoom() {}

    @Override
    public void checkNeverHeld(List<String> topics) {}

    @Override
    public int defaultPartitions() {
        return 8;
    }

    @Override
    public int deliveryTimeoutMillis() {
        return 120_000;
    }

    @Override
    public Presence startRecording(String session) {
        return () -> {};
    }

    @Override
    public boolean isAbandoned(CatalogueEntry entry) {
        return System.currentTimeMillis() - entry.heartbeatMillis() > SILENCE_MILLIS;
    }

    @Override
    public void close() {}
}
