package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.verify.Forgery.with;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Stamp;
import trapline.engine.event.Writes;
import trapline.journal.Journal;
import trapline.journal.SessionReader;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Verification;
import trapline.replayer.Verification.Check;
import trapline.replayer.Verify;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.SessionHeader;
import trapline.schemas.StateCodec;

/// What `verify` says of sessions that are as recorded, and of those that are not, in any log.
abstract class VerifyContract {

    private static final long CHECKPOINT_EVERY = 300;
    private static final Plan PLAN = Guests.plan("nested-spec-ctrl", "Icelake-Server", "kvm-6.12");
    static final List<Envelope> EVENTS = Guests.events(PLAN);

    abstract Journal journal();

    /// A regular expression for where something of this log is.
    abstract String anyPlace(String session);

    /// Whether this is the place of a session's record that is so many behind its first, from 1.
    abstract boolean isPlaceOf(CatalogueEntry session, long record, String place);

    private void assertPlace(String session, long record, Check found) {
        assertTrue(isPlaceOf(entry(session), record, found.place()), found::toString);
    }

    final String record(Forgery forgery) {
        return Guests.record(
                        Guests.recorder(forgery.on(journal()))
                                .withCheckpointEvery(CHECKPOINT_EVERY),
                        PLAN)
                .session();
    }

    private Verification verify(String session) {
        Verification verification = Verify.of(journal(), session, _ -> {});
        for (Check check : verification.checks()) {
            assertFalse(check.message().isEmpty());
            assertEquals(check.ok(), check.place().isEmpty(), check::toString);
            assertTrue(check.ok() || check.place().matches(anyPlace(session)), check::toString);
        }
        return verification;
    }

    private CatalogueEntry entry(String session) {
        try (SessionReader reader = journal().open(session)) {
            return reader.entry();
        }
    }

    /// The checks that failed, by name.
    final Map<String, Check> wrong(String session) {
        Map<String, Check> wrong = new TreeMap<>();
        verify(session).checks().stream()
                .filter(check -> !check.ok())
                .forEach(check -> wrong.put(check.name(), check));
        return wrong;
    }

    @ParameterizedTest
    @CsvSource({
        "linux-6.1-tasks-2cpu,   EPYC-Milan,      kvm-5.4",
        "linux-eibrs-boot,       Icelake-Server,  kvm-6.1",
        "every-op,               EPYC-Genoa,      kvm-7.1",
        "every-op,               Skylake-Server,  kvm-5.15",
        "nested-spec-ctrl,       EPYC-Rome,       kvm-6.6",
        "ibrs-migrated-to-eibrs, Icelake-Server,  'kvm-6.1,spec-ctrl=v4'",
        "ssbd-per-task,          Icelake-Server,  'kvm-6.18,spec-ctrl=always-passthrough'",
        "stibp-per-task,         SapphireRapids,  kvm-6.18",
        "io-heavy,               Broadwell,       kvm-6.12",
        "nested-calls,           EPYC-Turin,      kvm-7.1",
        "spec-ctrl-forced,       SapphireRapids,  'kvm-6.12,spec-ctrl-force=hw-shadow,mitigation-msrs=rfc-kernel'",
        "spec-ctrl-forced,       Icelake-Server,  'kvm-6.18,spec-ctrl-force=intercept,mitigation-msrs=userspace-filter'",
    })
    void whatWasRecordedVerifies(String guest, String cpu, String policy) {
        Recorded recorded = Guests.record(journal(), Guests.plan(guest, cpu, policy));
        assertEquals(Map.of(), wrong(recorded.session()));
        assertEquals(recorded.events(), verify(recorded.session()).events());
        assertTrue(recorded.closed());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 40})
    void interruptedSessionsAreTornAndVerify(int steps) {
        int[] left = {steps};
        Recorded recorded =
                Guests.recorder(journal())
                        .withCheckpointEvery(10)
                        .record(
                                PLAN,
                                Driver.guest(PLAN.ingredients()),
                                () -> left[0]-- > 0,
                                _ -> {});
        assertFalse(recorded.closed());
        assertEquals(Map.of(), wrong(recorded.session()));
        CatalogueEntry entry = entry(recorded.session());
        assertEquals(Status.TORN, entry.status());
        assertEquals("interrupted", entry.closing().orElseThrow().reason());
        assertEquals(recorded.events(), entry.closing().orElseThrow().events());
    }

    static Stream<Arguments> lostAndMovedRecords() {
        long last = EVENTS.size();
        return Stream.of(1, 2, 700, last - 1)
                .map(Number::longValue)
                .flatMap(at ->
                        Stream.of(
                                Arguments.of(
                                        "dropped",
                                        at,
                                        "expected event %d, found event %d".formatted(at, at + 1),
                                        0),
                                Arguments.of(
                                        "doubled",
                                        at,
                                        "expected event %d, found event %d".formatted(at + 1, at),
                                        1),
                                Arguments.of(
                                        "swapped",
                                        at,
                                        "expected event %d, found event %d".formatted(at, at + 1),
                                        0)));
    }

    @ParameterizedTest
    @MethodSource("lostAndMovedRecords")
    void recordsLostDoubledAndSwappedAreNamed(String how, long at, String message, int behind) {
        String session =
                record(
                        new Forgery() {
                            private byte[] held;

                            @Override
                            List<byte[]> event(long order, byte[] bytes) {
                                if (held != null) {
                                    List<byte[]> both = List.of(bytes, held);
                                    held = null;
                                    return both;
                                }
                                if (order != at) {
                                    return List.of(bytes);
                                }
                                held = how.equals("swapped") ? bytes : null;
                                return how.equals("doubled") ? List.of(bytes, bytes) : List.of();
                            }
                        });
        Check found = wrong(session).get("sequence");
        assertTrue(found.message().endsWith(": " + message), found::message);
        assertPlace(session, at + behind, found);
    }

    @Test
    void anEndThatIsMissingIsNamed() {
        String session =
                record(
                        new Forgery() {
                            @Override
                            List<byte[]> event(long order, byte[] bytes) {
                                return order == EVENTS.size() ? List.of() : List.of(bytes);
                            }
                        });
        Check found = wrong(session).get("sequence");
        assertTrue(
                found.message()
                        .contains(
                                "ends after event %d of session %s, which has %d"
                                        .formatted(EVENTS.size() - 1, session, EVENTS.size())),
                found::message);
    }

    /// Somebody changed one event and made all checksums anew: only running again can tell.
    private String forgeEvent(long at, UnaryOperator<Event> change) {
        return record(
                new Forgery.WithChecksums() {
                    @Override
                    Envelope event(Envelope envelope) {
                        return envelope.stamp().order() == at
                                ? new Envelope(envelope.stamp(), change.apply(envelope.event()))
                                : envelope;
                    }
                });
    }

    private static long orderOf(Class<? extends Event> type, int skip) {
        return EVENTS.stream()
                .filter(envelope -> type.isInstance(envelope.event()))
                .skip(skip)
                .findFirst()
                .orElseThrow()
                .stamp()
                .order();
    }

    static Stream<Arguments> forgedEvents() {
        Writes nowhere = Writes.of(new int[] {-5000, 77777}, new long[2]);
        return Stream.of(
                forged(InstructionsRetired.class, 3, "count", count -> (long) count + 1),
                forged(VmExited.class, 20, "qualification", old -> (long) old + 1),
                forged(VmExited.class, 30, "written", _ -> nowhere),
                forged(VmcsFieldWritten.class, 60, "value", value -> (long) value ^ 8),
                forged(VcpuLoaded.class, 0, "pcpu", _ -> -7));
    }

    private static <T extends Record & Event> Arguments forged(
            Class<T> type, int skip, String component, UnaryOperator<Object> change) {
        UnaryOperator<Event> forge = event -> with(type.cast(event), component, change);
        return Arguments.of(orderOf(type, skip), forge);
    }

    @ParameterizedTest
    @MethodSource("forgedEvents")
    void anEventThatDoesNotComeOutAgainIsNamed(long at, UnaryOperator<Event> change) {
        String session = forgeEvent(at, change);
        Check found = wrong(session).get("execution");
        assertTrue(found.message().startsWith("event " + at + " was "), found::message);
        assertPlace(session, at, found);
    }

    @Test
    void anEventThatComesOutElsewhereIsNamed() {
        String session =
                record(
                        new Forgery.WithChecksums() {
                            @Override
                            Envelope event(Envelope envelope) {
                                Stamp stamp = envelope.stamp();
                                return stamp.order() == 900
                                        ? new Envelope(
                                                with(stamp, "tick", t -> (long) t + 1),
                                                envelope.event())
                                        : envelope;
                            }
                        });
        Check found = wrong(session).get("execution");
        assertTrue(found.message().startsWith("event 900 was at Stamp["), found::message);
        assertPlace(session, 900, found);
    }

    /// Events from elsewhere, put where they do not belong.
    @Test
    void everyStrayEventIsNamedAndNoneBreaksVerify() {
        Random random = new Random(31);
        for (int i = 0; i < 8; i++) {
            long at = 1L + random.nextInt(EVENTS.size());
            Event stray = EVENTS.get(random.nextInt(EVENTS.size())).event();
            if (!stray.equals(EVENTS.get((int) at - 1).event())) {
                String session = forgeEvent(at, _ -> stray);
                Check found = wrong(session).get("execution");
                assertPlace(session, at, found);
            }
        }
    }

    private abstract static class OfAnotherModel extends Forgery.WithChecksums {
        @Override
        SessionHeader header(SessionHeader given) {
            return with(given, "versions", _ -> new SessionHeader.Versions("older", 0));
        }
    }

    /// What another model recorded need not come out again, and is not held against the session.
    @Test
    void anotherModelsSessionIsNotRunAgain() {
        String session =
                record(
                        new OfAnotherModel() {
                            @Override
                            Envelope event(Envelope envelope) {
                                return envelope;
                            }
                        });
        Verification verification = verify(session);
        assertTrue(verification.ok());
        assertTrue(
                verification.checks().getLast().message().startsWith("not repeated: model 0"),
                verification.checks().getLast()::message);
    }

    @Test
    void withoutRunningAgainTheStateTells() {
        long at = orderOf(VmcsFieldWritten.class, 60);
        String session =
                record(
                        new OfAnotherModel() {
                            @Override
                            Envelope event(Envelope envelope) {
                                return envelope.stamp().order() == at
                                        ? new Envelope(
                                                envelope.stamp(),
                                                new VmcsFieldWritten(12, 0x681e, 0, 99))
                                        : envelope;
                            }
                        });
        Check found = wrong(session).get("state");
        assertTrue(found.message().contains(", the closing record says "), found::message);
    }

    static Stream<Arguments> wrongClosings() {
        return Stream.of(
                closing("sequence", "events", events -> (long) events - 1),
                closing("sequence", "vcpuEvents", _ -> new long[] {5}),
                closing("sequence", "vcpuEvents", _ -> new long[0]),
                closing("sequence", "guestOps", ops -> (long) ops + 1),
                closing("sequence", "chain", chain -> (int) chain ^ 1),
                closing("state", "digest", _ -> Digest.of(new byte[1])));
    }

    private static Arguments closing(String check, String component, UnaryOperator<Object> change) {
        return Arguments.of(
                check,
                new Forgery() {
                    @Override
                    ClosingRecord closing(ClosingRecord given) {
                        return with(given, component, change);
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("wrongClosings")
    void aWrongClosingRecordIsNamed(String check, Forgery forgery) {
        String session = record(forgery);
        Map<String, Check> wrong = wrong(session);
        assertTrue(wrong.containsKey(check), wrong::toString);
    }

    static Stream<Forgery> wrongCheckpoints() {
        return Stream.of(
                checkpoint("chain", chain -> (int) chain ^ 1),
                checkpoint("seqs", _ -> new long[] {5}),
                checkpoint("seqs", _ -> new long[0]),
                checkpoint("ticks", _ -> new long[] {5}),
                checkpoint("session", _ -> "another"),
                checkpoint("order", order -> (long) order + 1),
                checkpoint("state", _ -> StateCodec.encode(Guests.run(PLAN, (_, _) -> {}))));
    }

    private static Forgery checkpoint(String component, UnaryOperator<Object> change) {
        return new Forgery() {
            @Override
            Checkpoint checkpoint(Checkpoint given) {
                return given.order() == 2 * CHECKPOINT_EVERY
                        ? with(given, component, change)
                        : given;
            }
        };
    }

    @ParameterizedTest
    @MethodSource("wrongCheckpoints")
    void aWrongCheckpointIsNamed(Forgery forgery) {
        String session = record(forgery);
        Map<String, Check> wrong = wrong(session);
        assertEquals(List.of("checkpoints"), new ArrayList<>(wrong.keySet()), wrong::toString);
    }
}
