package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.verify.Forgery.with;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.guest.GuestFile;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.replayer.Verification;
import trapline.replayer.Verification.Check;
import trapline.replayer.Verify;

/// Sessions executed from a trace keep their ops in their own events alone, and verify from these.
class TraceVerifyTest {

    @TempDir Path folder;

    /// A guest's session, as if its ops were those of a trace.
    private String record(String guest, String cpu, Forgery forgery) {
        Plan plan = Guests.plan(guest, cpu, "kvm-6.1");
        Ingredients of = plan.ingredients();
        Ingredients traced =
                new Ingredients(
                        GuestFile.Kind.TRACE,
                        guest,
                        "imported session\n",
                        of.seed(),
                        of.vcpus(),
                        of.platformText(),
                        of.modelText(),
                        of.policyText());
        try (Journal journal = Journals.open("file:" + folder, Optional.empty())) {
            return Guests.recorder(forgery.on(journal))
                    .withCheckpointEvery(300)
                    .record(
                            new Plan(traced, plan.platform(), plan.policy(), Optional.of("other")),
                            Driver.guest(of),
                            () -> true,
                            _ -> {})
                    .session();
        }
    }

    private Verification verify(String session) {
        try (Journal journal = Journals.open("file:" + folder, Optional.empty())) {
            return Verify.of(journal, session, _ -> {});
        }
    }

    @ParameterizedTest
    @CsvSource({
        "linux-6.1-tasks-2cpu, EPYC-Milan",
        "linux-eibrs-boot, Icelake-Server",
        "io-heavy, Icelake-Server",
        "io-heavy, EPYC-Genoa",
        "idle-timer, EPYC-Rome",
        "ssbd-per-task, Icelake-Server",
    })
    void theirOwnEventsComeOutAgain(String guest, String cpu) {
        Verification verification = verify(record(guest, cpu, new Forgery() {}));
        assertEquals(List.of(), verification.checks().stream().filter(c -> !c.ok()).toList());
        assertEquals("every event came out again", verification.checks().getLast().message());
    }

    @Test
    void anotherExitIsFound() {
        boolean[] forged = new boolean[1];
        String session =
                record(
                        "io-heavy",
                        "Icelake-Server",
                        new Forgery.WithChecksums() {
                            @Override
                            Envelope event(Envelope envelope) {
                                if (envelope.stamp().order() < 200
                                        || forged[0]
                                        || !(envelope.event() instanceof VmExited exit)) {
                                    return envelope;
                                }
                                forged[0] = true;
                                return new Envelope(
                                        envelope.stamp(),
                                        with(exit, "qualification", q -> (long) q ^ 1));
                            }
                        });
        Check execution = verify(session).checks().getLast();
        assertEquals("execution", execution.name());
        assertTrue(forged[0] && !execution.ok(), execution::toString);
        assertTrue(execution.message().matches("event \\d+ was VmExited .*"), execution::toString);
    }
}
