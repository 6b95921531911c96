package trapline.fleet;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waits for what takes as long as it takes.
final class Await {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private Await() {}

    static void until(BooleanSupplier condition, Supplier<Object> otherwise)
            throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still not after " + PATIENCE + ": " + otherwise.get());
            }
            Thread.sleep(50);
        }
    }
}
