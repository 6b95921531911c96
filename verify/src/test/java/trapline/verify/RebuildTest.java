package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.state.MachineState;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Rebuild;
import trapline.replayer.ReplayException;
import trapline.replayer.Session;
import trapline.schemas.Digest;
import trapline.schemas.StateCodec;

/// State out of the log is the state that the live machine had.
class RebuildTest {

    @TempDir Path folder;

    private Journal files() {
        return Journals.open("file:" + folder, Optional.empty());
    }

    /// At every event, named in one way or the other, with many checkpoints and with none.
    @ParameterizedTest
    @CsvSource({
        "nested-spec-ctrl,     Icelake-Server, kvm-7.1,  250",
        "nested-spec-ctrl,     EPYC-Milan,     kvm-6.12, 100",
        "linux-6.1-tasks-2cpu, EPYC-Milan,     kvm-6.1,  1000",
        "linux-6.1-tasks-2cpu, Icelake-Server, kvm-5.15, 1000000",
        "every-op,             Icelake-Server, kvm-6.18, 777",
        "every-op,             EPYC-Genoa,     kvm-7.1,  777",
        "nested-calls,         EPYC-Turin,     'kvm-7.1,eraps=v3', 777",
        "spec-ctrl-forced,     SapphireRapids, 'kvm-7.1,spec-ctrl-force=hw-shadow,mitigation-msrs=userspace-filter', 555",
    })
    void everyStateIsTheLiveOne(String guest, String cpu, String policy, long checkpointEvery) {
        Plan plan = Guests.plan(guest, cpu, policy);
        List<Moment> live = Moment.live(plan);
        try (Journal journal = files()) {
            Recorded recorded =
                    Guests.record(
                            Guests.recorder(journal).withCheckpointEvery(checkpointEvery), plan);
            assertEquals(live.size(), recorded.events());
            try (Session session = Session.open(journal, recorded.session())) {
                assertEquals(live.size() / checkpointEvery, session.reader().checkpoints());
                Rebuild rebuild = new Rebuild(session);
                for (int order = 1; order <= live.size(); order++) {
                    Moment moment = live.get(order - 1);
                    MachineState found =
                            order % 2 == 0
                                    ? rebuild.at(order)
                                    : rebuild.at(moment.vcpu(), moment.seq());
                    moment.assertState(order, found);
                }
                live.getLast().assertState(live.size(), rebuild.atEnd());
            }
        }
    }

    /// On a broker, at and around every checkpoint and here and there.
    @ParameterizedTest
    @CsvSource({
        "io-heavy, Icelake-Server, kvm-6.1, 20000",
        "every-op, EPYC-Milan,     kvm-7.1, 500",
    })
    void sampledStatesOfABrokersLogAreTheLiveOnes(
            String guest, String cpu, String policy, long checkpointEvery) {
        Plan plan = Guests.plan(guest, cpu, policy);
        List<Moment> live = Moment.live(plan);
        try (Journal journal = Journals.open("embedded:" + folder, Optional.empty())) {
            Recorded recorded =
                    Guests.record(
                            Guests.recorder(journal).withCheckpointEvery(checkpointEvery), plan);
            try (Session session = Session.open(journal, recorded.session())) {
                assertEquals(live.size() / checkpointEvery, session.reader().checkpoints());
                Moment.assertSampled(live, new Rebuild(session), checkpointEvery);
            }
        }
    }

    @Test
    void beforeTheFirstEventThereIsANewMachineAndBehindTheLastNothing() {
        Plan plan = Guests.plan("linux-6.1-boot-1cpu", "EPYC-Milan", "kvm-6.1");
        try (Journal journal = files()) {
            Recorded recorded = Guests.record(journal, plan);
            try (Session session = Session.open(journal, recorded.session())) {
                Rebuild rebuild = new Rebuild(session);
                Digest fresh = StateCodec.digest(new MachineState(session.config()));
                assertEquals(fresh, StateCodec.digest(rebuild.at(0, 0)));
                assertNoSuchPlace(() -> rebuild.at(recorded.events() + 1));
                assertNoSuchPlace(() -> rebuild.at(0, recorded.events() + 1));
                assertNoSuchPlace(() -> rebuild.at(1, 1));
                assertNoSuchPlace(() -> rebuild.at(-1, 1));
            }
        }
    }

    private static void assertNoSuchPlace(Executable asking) {
        ReplayException none = assertThrows(ReplayException.class, asking);
        assertEquals(ReplayException.Kind.NO_SUCH_PLACE, none.kind());
        assertTrue(none.getMessage().contains("session "), none.getMessage());
    }
}
