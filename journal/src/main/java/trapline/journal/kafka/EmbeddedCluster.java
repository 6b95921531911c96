package trapline.journal.kafka;

import java.util.List;
import java.util.Optional;
import trapline.journal.JournalException;
import trapline.journal.broker.FolderBroker;
import trapline.schemas.CatalogueEntry;

/// The broker of a folder. Who records there holds a file, so that a recorder's end shows at once.
public record EmbeddedCluster(FolderBroker broker) implements Cluster {

    @Override
    public String address() {
        return broker.address();
    }

    @Override
    public String location() {
        return "embedded:" + broker.path();
    }

    @Override
    public Optional<JournalException> fault() {
        return broker.fault();
    }

    @Override
    public void checkRoom() {
        broker.checkRoom();
    }

    @Override
    public void checkNeverHeld(List<String> topics) {
        broker.checkNeverHeld(topics);
    }

    @Override
    public int defaultPartitions() {
        return 4;
    }

    @Override
    public int deliveryTimeoutMillis() {
        return 60_000;
    }

    @Override
    public Presence startRecording(String session) {
        return broker.startRecording(session)::discard;
    }

    @Override
    public boolean isAbandoned(CatalogueEntry entry) {
        return !broker.isRecording(entry.header().session());
    }

    @Override
    public void close() {
        broker.close();
    }
}
