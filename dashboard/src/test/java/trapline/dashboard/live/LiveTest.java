package trapline.dashboard.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import trapline.journal.ExitTail;
import trapline.journal.Journal;

/// What becomes of the threads behind the statistics.
class LiveTest {

    private final Semaphore asked = new Semaphore(0);

    /// The catalogue, which is asked on, does not make it good.
    @Test
    @Timeout(60)
    void tailThatBreaksIsToldForGood() throws Exception {
        try (Live live = new Live(journal(new AssertionError("bad tail")))) {
            live.start();
            while (live.trouble().isEmpty()) {
                asked.acquire();
            }
            asked.drainPermits();
            asked.acquire(2);
            assertEquals(
                    Optional.of(
                            "exits are not counted any more: java.lang.AssertionError: bad tail"),
                    live.trouble());
        }
    }

    private Journal journal(Error fault) {
        ExitTail tail = broken(ExitTail.class, "poll", fault);
        return (Journal)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {Journal.class},
                        (_, method, _) ->
                                switch (method.getName()) {
                                    case "sessions" -> {
                                        asked.release();
                                        yield List.of();
                                    }
                                    case "exits" -> tail;
                                    default -> throw new UnsupportedOperationException();
                                });
    }

    private static <T> T broken(Class<T> type, String name, Error fault) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (_, method, _) -> {
                            if (method.getName().equals(name)) {
                                throw fault;
                            }
                            return null;
                        }));
    }
}
