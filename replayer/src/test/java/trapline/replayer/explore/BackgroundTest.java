package trapline.replayer.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;

/// Whatever ends a reading, who waits for it is told.
class BackgroundTest {

    private static final class Ends implements Background.Reader {

        private final CompletableFuture<Optional<String>> problem = new CompletableFuture<>();

        @Override
        public boolean event(Envelope envelope) {
            return true;
        }

        @Override
        public void end(Optional<String> trouble) {
            problem.complete(trouble);
        }
    }

    @Test
    void anErrorEndsIt() throws Exception {
        Ends reader = new Ends();
        try (Background _ =
                new Background(
                        "test",
                        () -> {
                            throw new StackOverflowError();
                        },
                        new AtomicInteger(),
                        reader)) {
            assertEquals(
                    Optional.of("reading it in the background failed: StackOverflowError"),
                    reader.problem.get(2, TimeUnit.MINUTES));
        }
    }
}
