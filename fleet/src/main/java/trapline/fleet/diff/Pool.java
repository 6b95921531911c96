package trapline.fleet.diff;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The threads of one worker that evaluate, and how many tasks may be on their way to them.
///
/// A task that was under way when a worker died is under suspicion and gets all places, so that a
/// second death is its own.
final class Pool implements AutoCloseable {

    private final int places;
    private final ExecutorService threads;
    private int taken;
    private int suspects;

    Pool(int parallel) {
        // While one is committed as started another runs.
        places = 2 * parallel;
        threads =
                Executors.newFixedThreadPool(
                        parallel,
                        task -> {
                            Thread thread = new Thread(task, "trapline-fleet-diff");
                            thread.setDaemon(true);
                            return thread;
                        });
    }

    /// Takes a place for a task; false if there is none now.
    synchronized boolean take(boolean suspect) {
        if (suspect ? taken > 0 : taken >= places || suspects > 0) {
            return false;
        }
        taken += suspect ? places : 1;
        return true;
    }

    synchronized void giveBack(boolean suspect) {
        taken -= suspect ? places : 1;
    }

    /// Somebody waits with a suspect: until it has its places, no others are given away.
    synchronized void suspectWaits() {
        suspects++;
    }

    synchronized void suspectWaitsNoMore() {
        suspects--;
    }

    Future<?> run(Runnable task) {
        return threads.submit(task);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
