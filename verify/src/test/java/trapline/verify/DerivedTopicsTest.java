package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.rule.Violation;
import trapline.engine.state.Vendor;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Projection;
import trapline.replayer.Session;
import trapline.replayer.Tally;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// What dashboards are told of a session is what its events say.
class DerivedTopicsTest {

    @TempDir static Path folder;
    private static Journal journal;

    @BeforeAll
    static void open() {
        journal = Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
    }

    @AfterAll
    static void close() {
        journal.close();
    }

    /// All that a session told.
    private static final class Told {
        final List<ExitObserved> exits = new ArrayList<>();
        final List<ExitStatistics> seconds = new ArrayList<>();
        final List<ViolationObserved> violations = new ArrayList<>();
        final List<InterceptionObserved> interceptions = new ArrayList<>();

        static Told of(ExitTail tail) {
            Told told = new Told();
            try (tail) {
                while (!tail.caughtUp()) {
                    ExitTail.Recent recent = tail.poll(Duration.ofMillis(100));
                    assertEquals(0, recent.unreadable(), recent::toString);
                    told.exits.addAll(recent.exits());
                    told.seconds.addAll(recent.statistics());
                    told.violations.addAll(recent.violations());
                    told.interceptions.addAll(recent.interceptions());
                }
                assertEquals(0, tail.lagRecords());
            }
            return told;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "every-op, Icelake-Server, kvm-6.18",
        "every-op, EPYC-Milan, kvm-6.12",
        "every-op, EPYC-Rome, kvm-6.1",
        "every-op, SapphireRapids, 'kvm-5.15'"
    })
    void exitsAndInterceptionsAreTheEvents(String guest, String cpu, String policy) {
        Plan plan = Guests.plan(guest, cpu, policy);
        Recorded recorded = Guests.record(journal, plan);
        try (Session session = Session.open(journal, recorded.session())) {
            Told told = Told.of(journal.exits(session.header()));
            List<Envelope> events = new ArrayList<>();
            session.events((envelope, _) -> events.add(envelope));
            checkExits(told, events, session.config().vendor(), costs(session));
            List<String> changes = new ArrayList<>();
            for (Envelope envelope : events) {
                if (envelope.event() instanceof MsrInterceptChanged change) {
                    changes.add(envelope.stamp().order() + " " + change);
                }
            }
            assertEquals(
                    changes,
                    told.interceptions.stream()
                            .map(e ->
                                    e.stamp().order()
                                            + " "
                                            + new MsrInterceptChanged(
                                                    e.bitmap(), e.msr(), e.read(), e.write()))
                            .toList());
            assertEquals(
                    told.exits.size(),
                    told.seconds.stream().mapToLong(ExitStatistics::exits).sum());
        }
    }

    private static CostProfile costs(Session session) {
        return CostProfile.find(
                session.machines().platform().description().costs(), _ -> Optional.empty());
    }

    /// Each exit with what lies between it and its vCPU's next entry.
    private static void checkExits(
            Told told, List<Envelope> events, Vendor vendor, CostProfile costs) {
        Map<Long, ExitObserved> byOrder = new TreeMap<>();
        told.exits.forEach(exit -> byOrder.put(exit.stamp().order(), exit));
        assertEquals(told.exits.size(), byOrder.size());
        long exits = 0;
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).event() instanceof VmExited) {
                exits++;
                List<Envelope> handling = handling(events, i);
                check(byOrder.get(events.get(i).stamp().order()), handling, vendor, costs);
            }
        }
        assertFalse(exits == 0);
        assertEquals(exits, told.exits.size());
    }

    private static List<Envelope> handling(List<Envelope> events, int exit) {
        int vcpu = events.get(exit).stamp().vcpu();
        List<Envelope> handling = new ArrayList<>();
        for (Envelope envelope : events.subList(exit, events.size())) {
            if (envelope.stamp().vcpu() == vcpu) {
                handling.add(envelope);
                if (envelope.event() instanceof VmEntered) {
                    break;
                }
            }
        }
        return handling;
    }

    private static void check(
            ExitObserved told, List<Envelope> handling, Vendor vendor, CostProfile costs) {
        assertEquals(handling.getFirst().stamp().seq(), told.stamp().seq());
        assertEquals(handling.size(), told.effort().events());
        assertEquals(count(handling, HostMsrRead.class), told.effort().hostMsrReads());
        assertEquals(count(handling, HostMsrWritten.class), told.effort().hostMsrWrites());
        assertEquals(count(handling, UserspaceExited.class) > 0, told.effort().userspace());
        Tally tally = new Tally(vendor, told.stamp().vcpu() + 1);
        handling.forEach(tally::add);
        long mutations = tally.mutations().values().stream().mapToLong(Long::longValue).sum();
        assertEquals(mutations, told.effort().mutations());
        assertEquals(
                Optional.of(Math.round(Projection.of(tally, costs).total().typical())),
                told.took().cycles());
        assertEquals(Optional.empty(), told.took().nanos());
    }

    private static long count(List<Envelope> events, Class<? extends Event> type) {
        return events.stream().filter(envelope -> type.isInstance(envelope.event())).count();
    }

    @Test
    void violationsAddUp() {
        Recorded recorded =
                Guests.record(journal, Guests.plan("nested-spec-ctrl", "EPYC-Rome", "kvm-6.1"));
        Map<String, Long> found = new TreeMap<>();
        for (Violation violation : recorded.violations()) {
            String way =
                    "%s vcpu %d: %s"
                            .formatted(
                                    violation.rule().text(),
                                    violation.first().stamp().vcpu(),
                                    violation.message());
            found.merge(way, violation.count(), Long::sum);
        }
        assertTrue(found.values().stream().anyMatch(count -> count > 1), found::toString);
        Map<String, Long> told = new TreeMap<>();
        try (Session session = Session.open(journal, recorded.session())) {
            List<ViolationObserved> violations =
                    Told.of(journal.exits(session.header())).violations;
            assertEquals(
                    recorded.violations().getFirst().first().stamp().seq(),
                    violations.getFirst().stamp().seq());
            for (ViolationObserved violation : violations) {
                String way =
                        "%s vcpu %d: %s"
                                .formatted(
                                        violation.rule(),
                                        violation.stamp().vcpu(),
                                        violation.message());
                told.merge(way, violation.times(), Long::sum);
            }
        }
        assertEquals(found, told);
    }

    @Test
    void tailsBeginWhereTheyAreAskedTo() throws InterruptedException {
        Plan plan = Guests.plan("every-op", "Icelake-Server", "kvm-6.18");
        Recorded earlier = Guests.record(journal, plan);
        Thread.sleep(20);
        Instant between = Instant.now();
        Recorded later = Guests.record(journal, plan);
        Told told = Told.of(journal.exits(between));
        assertEquals(
                List.of(later.session()),
                told.exits.stream().map(ExitObserved::session).distinct().toList());
        try (Session session = Session.open(journal, earlier.session())) {
            assertEquals(
                    List.of(earlier.session()),
                    Told.of(journal.exits(session.header())).exits.stream()
                            .map(ExitObserved::session)
                            .distinct()
                            .toList());
        }
    }
}
