package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Same inputs, same bytes: also in another JVM, whose sets and maps have another order, and in
/// another country.
class ReproductionTest {

    @TempDir Path folder;

    @Test
    void aSecondJvmMakesTheSameBytes() throws ExecutionException, InterruptedException {
        ProcessBuilder other =
                OtherJvm.of(
                        List.of(
                                "-Duser.language=tr",
                                "-Duser.country=TR",
                                "-Duser.timezone=Asia/Kathmandu",
                                "-Dfile.encoding=ISO-8859-9"),
                        Fingerprints.class);
        var running = new FutureTask<>(() -> OtherJvm.run(other, folder));
        Thread.ofPlatform().daemon().start(running);
        String here =
                Fingerprints.all().entrySet().stream()
                        .map(entry -> entry.getKey() + " = " + entry.getValue() + "\n")
                        .collect(Collectors.joining());
        OtherJvm.Output output = running.get();
        assertEquals("", output.err());
        assertEquals(here, output.out());
    }

    /// Else the test above would say little.
    @Test
    void anotherSeedMakesOthers() {
        assertNotEquals(
                Fingerprints.of(Guests.plan("every-op", "EPYC-Milan", "kvm-6.1", 1)),
                Fingerprints.of(Guests.plan("every-op", "EPYC-Milan", "kvm-6.1", 2)));
    }
}
