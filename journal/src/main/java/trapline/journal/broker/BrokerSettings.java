package trapline.journal.broker;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// The settings of the embedded broker: one node, loopback only, a quick start, little memory.
final class BrokerSettings {

    static final int NODE = 1;
    static final String CLIENTS = "CLIENT";
    static final String CONTROLLERS = "CONTROLLER";
    static final String HOST = "127.0.0.1";

    private BrokerSettings() {}

    /// @param port of the listener for clients; 0 for any that is free
    static Map<String, String> of(Path data, int port) {
        Map<String, String> settings = new HashMap<>();
        place(settings, data, port);
        quickStart(settings);
        littleMemory(settings);
        oneCopy(settings);
        return settings;
    }

    private static void place(Map<String, String> settings, Path data, int port) {
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", Integer.toString(NODE));
        // The controller's port is made known in the process itself, once it is bound.
        settings.put("controller.quorum.voters", NODE + "@0.0.0.0:0");
        settings.put(
                "listeners",
                "%s://%s:%d,%s://%s:0".formatted(CLIENTS, HOST, port, CONTROLLERS, HOST));
        settings.put(
                "listener.security.protocol.map",
                "%s:PLAINTEXT,%s:PLAINTEXT".formatted(CLIENTS, CONTROLLERS));
        settings.put("inter.broker.listener.name", CLIENTS);
        settings.put("controller.listener.names", CONTROLLERS);
        settings.put("log.dirs", data.toString());
    }

    /// An election among one needs no patience, and the session of a broker that was killed must
    /// end before the next one can register.
    private static void quickStart(Map<String, String> settings) {
        settings.put("controller.quorum.election.timeout.ms", "100");
        settings.put("controller.quorum.election.backoff.max.ms", "100");
        settings.put("controller.quorum.fetch.timeout.ms", "500");
        settings.put("controller.quorum.append.linger.ms", "1");
        settings.put("broker.heartbeat.interval.ms", "100");
        settings.put("broker.session.timeout.ms", "1000");
        settings.put("metadata.max.idle.interval.ms", "0");
        settings.put("group.initial.rebalance.delay.ms", "100");
        settings.put("metric.reporters", "");
    }

    private static void littleMemory(Map<String, String> settings) {
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "2");
        settings.put("background.threads", "2");
        settings.put("num.recovery.threads.per.data.dir", "2");
        settings.put("log.cleaner.dedupe.buffer.size", "4194304");
        settings.put("log.cleaner.io.buffer.size", "262144");
        settings.put("log.index.size.max.bytes", "2097152");
        settings.put("metadata.log.segment.bytes", "8388608");
        settings.put("group.coordinator.threads", "1");
        settings.put("share.coordinator.threads", "1");
        settings.put("queued.max.requests", "32");
    }

    /// With one copy, what the disk has is all there is: every few seconds it gets what came.
    private static void oneCopy(Map<String, String> settings) {
        settings.put("log.flush.interval.ms", "5000");
        settings.put("log.flush.scheduler.interval.ms", "5000");
        settings.put("default.replication.factor", "1");
        settings.put("min.insync.replicas", "1");
        settings.put("offsets.topic.replication.factor", "1");
        settings.put("offsets.topic.num.partitions", "1");
        settings.put("transaction.state.log.replication.factor", "1");
        settings.put("transaction.state.log.min.isr", "1");
        settings.put("transaction.state.log.num.partitions", "1");
        settings.put("share.coordinator.state.topic.replication.factor", "1");
        settings.put("share.coordinator.state.topic.min.isr", "1");
        settings.put("share.coordinator.state.topic.num.partitions", "1");
        settings.put("auto.create.topics.enable", "false");
        settings.put("unclean.leader.election.enable", "false");
    }
}
