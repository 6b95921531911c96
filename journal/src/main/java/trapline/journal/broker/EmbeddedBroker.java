package trapline.journal.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server;
import kafka.server.SharedServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.ServerSocketFactory;
import org.slf4j.LoggerFactory;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.FileHold;

/// A Kafka of one node, broker and controller, running in this process on one folder.
///
/// What it has acknowledged survives the end of the process at any moment, however it comes.
/// Whoever starts one has the folder's lock.
final class EmbeddedBroker implements AutoCloseable {

    private static final long START_SECONDS = 120;
    private static final long STOP_SECONDS = 20;
    private static final AtomicInteger STARTED = new AtomicInteger();

    private final BrokerFolder folder;
    private final FileHold lock;
    private final ThreadGroup threads =
            new ThreadGroup("trapline-broker-" + STARTED.incrementAndGet());
    private final BrokerFault fault;
    private ControllerServer controller;
    private BrokerServer broker;
    private boolean closed;

    private EmbeddedBroker(BrokerFolder folder, FileHold lock) {
        this.folder = folder;
        this.lock = lock;
        fault = new BrokerFault(folder.path(), threads);
    }

    /// Starts the broker of a folder, which is made one if it is new.
    ///
    /// @param lock the folder's, let go when the broker stops
    static EmbeddedBroker start(BrokerFolder folder, FileHold lock) {
        EmbeddedBroker broker = new EmbeddedBroker(folder, lock);
        try {
            folder.create();
            folder.tidy();
            broker.format();
            new MetadataLog(folder).check();
            broker.run();
            return broker;
        } catch (JournalException e) {
            broker.close();
            throw e;
        }
    }

    String address() {
        return BrokerSettings.HOST + ":" + port();
    }

    /// Completed when the broker is of no use any more.
    CompletableFuture<JournalException> fault() {
        return fault.raised();
    }

    private void format() {
        if (!folder.isLog()) {
            if (folder.cluster().isEmpty()) {
                formatData();
            }
            folder.mark();
        }
    }

    private void formatData() {
        try (PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream())) {
            new Formatter()
                    .setNodeId(BrokerSettings.NODE)
                    .setClusterId(Uuid.randomUuid().toString())
                    .addDirectory(folder.data().toString())
                    .setMetadataLogDirectory(folder.data().toString())
                    .setControllerListenerName(BrokerSettings.CONTROLLERS)
                    .setPrintStream(nowhere)
                    .run();
        } catch (Exception e) {
            throw fault.explain("cannot be made a log", e);
        }
    }

    /// The port of before, so that the clients of an earlier broker find this one; 0 if it is
    /// taken.
    private int freePort() {
        int port = folder.address().map(BrokerAddress::port).orElse(0);
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return port;
        } catch (IOException | IllegalArgumentException e) {
            return 0;
        }
    }

    private void run() {
        int port = freePort();
        publish(port, false);
        await(inBrokerThread(() -> startServers(port)), START_SECONDS, "start");
        publish(port(), true);
    }

    private void publish(int port, boolean running) {
        folder.publish(
                new BrokerAddress(
                        BrokerSettings.HOST, port, running, ProcessHandle.current().pid()));
    }

    private void startServers(int port) {
        KafkaConfig config = new KafkaConfig(BrokerSettings.of(folder.data(), port), false);
        var logs =
                KafkaRaftServer.initializeLogDirs(
                        config, LoggerFactory.getLogger(EmbeddedBroker.class), "");
        CompletableFuture<Map<Integer, InetSocketAddress>> voters = new CompletableFuture<>();
        SharedServer shared =
                new SharedServer(
                        config,
                        logs._1(),
                        Time.SYSTEM,
                        Server.initializeMetrics(
                                config, Time.SYSTEM, logs._1().clusterId().orElseThrow()),
                        voters,
                        List.of(),
                        fault,
                        ServerSocketFactory.INSTANCE);
        controller = new ControllerServer(shared, KafkaRaftServer.configSchema(), logs._2());
        broker = new BrokerServer(shared);
        var _ =
                controller
                        .socketServerFirstBoundPortFuture()
                        .thenAccept(bound -> voters.complete(voter(bound)));
        controller.startup();
        broker.startup();
    }

    private static Map<Integer, InetSocketAddress> voter(int port) {
        return Map.of(
                BrokerSettings.NODE, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    private int port() {
        return broker.boundPort(new ListenerName(BrokerSettings.CLIENTS));
    }

    /// Runs one step of the broker's life in a thread whose children are the broker's own.
    private CompletableFuture<Void> inBrokerThread(Runnable step) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        threads,
                        () -> {
                            try {
                                step.run();
                                done.complete(null);
                            } catch (Throwable e) {
                                done.completeExceptionally(e);
                            }
                        },
                        threads.getName());
        thread.setDaemon(true);
        thread.start();
        return done;
    }

    private void await(CompletableFuture<Void> step, long seconds, String verb) {
        try {
            CompletableFuture.anyOf(step, fault.raised()).get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw fault.explain("cannot " + verb, e.getCause());
        } catch (TimeoutException e) {
            throw new JournalException(
                    Kind.DAMAGED,
                    folder.path().toString(),
                    "the broker did not %s within %d s".formatted(verb, seconds),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JournalException(
                    Kind.UNREACHABLE,
                    folder.path().toString(),
                    "interrupted while the broker was to " + verb,
                    e);
        }
        if (fault.reason() != null) {
            throw fault.reason();
        }
    }

    /// Stops the broker and lets go of the folder, unless it does not stop: then the folder stays
    /// held until the process ends.
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (stops(inBrokerThread(this::stopServers))) {
            fault.forget(threads);
            lock.close();
        }
    }

    /// Whether the broker came to rest; one that failed gets less time for it.
    private boolean stops(CompletableFuture<Void> stopping) {
        long seconds = fault.reason() == null ? STOP_SECONDS : STOP_SECONDS / 4;
        boolean interrupted = Thread.interrupted();
        try {
            stopping.get(seconds, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            // The log is as whole as after a kill, and will be recovered as one.
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            interrupted = true;
            return false;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void stopServers() {
        if (broker != null) {
            broker.shutdown();
            broker.awaitShutdown();
        }
        if (controller != null) {
            controller.shutdown();
            controller.awaitShutdown();
        }
    }
}
