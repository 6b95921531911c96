package trapline.schemas;

import java.util.List;
import java.util.stream.Stream;

/// The names of a log's topics, which share a prefix.
public record Topics(String prefix) {

    public static final Topics DEFAULT = new Topics("trapline");

    /// Every event of every session: key session, value `Envelope`.
    public String events() {
        return prefix + ".events";
    }

    /// The catalogue, compacted: key session (`CatalogueEntry`) or session and page (`CheckpointPage`).
    public String sessions() {
        return prefix + ".sessions";
    }

    /// Key session, value `Checkpoint`.
    public String checkpoints() {
        return prefix + ".checkpoints";
    }

    /// Compacted: key hash and index, value `Blob`.
    public String blobs() {
        return prefix + ".blobs";
    }

    /// Compacted: key fingerprint in hexadecimal, value the schema as JSON.
    public String schemas() {
        return prefix + ".schemas";
    }

    /// Derived, for dashboards: key session, value `ExitObserved`.
    public String exits() {
        return prefix + ".exits";
    }

    /// Derived, for dashboards: key session, value `ExitStatistics`.
    public String exitStatistics() {
        return prefix + ".exit-statistics";
    }

    /// Derived, for dashboards: key session, value `ViolationObserved`.
    public String violations() {
        return prefix + ".violations";
    }

    /// Derived, for dashboards: key session, value `InterceptionObserved`.
    public String interceptions() {
        return prefix + ".interceptions";
    }

    /// Windows of exits, compacted: key session, vCPU, begin and size; value `ExitWindow`. Made by
    /// workers.
    public String exitWindows() {
        return prefix + ".exit-windows";
    }

    /// What workers are to do: key run (`FleetRun`), or run and session (`FleetTask`).
    public String fleetTasks() {
        return prefix + ".fleet-tasks";
    }

    /// Compacted: key run and session, value `FleetResult`.
    public String fleetResults() {
        return prefix + ".fleet-results";
    }

    /// Without these there is no log.
    public List<String> recordings() {
        return List.of(events(), sessions(), checkpoints(), blobs(), schemas());
    }

    /// What is told of recordings to dashboards, for a while.
    public List<String> derived() {
        return List.of(exits(), exitStatistics(), violations(), interceptions());
    }

    /// What every log has; workers make the rest.
    public List<String> all() {
        return Stream.concat(recordings().stream(), derived().stream()).toList();
    }
}
