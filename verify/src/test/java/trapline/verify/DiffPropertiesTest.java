package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Difference;
import trapline.replayer.Diversion;
import trapline.replayer.Session;
import trapline.replayer.Tally;

/// What holds of every diff, tried on guests and policies drawn by chance. `-Dseeds=N` draws more.
class DiffPropertiesTest {

    private static final int SEEDS = Integer.getInteger("seeds", 12);
    private static final List<String> INTEL =
            List.of("Broadwell", "Skylake-Server", "Icelake-Server", "SapphireRapids");
    private static final List<String> AMD =
            List.of("EPYC", "EPYC-Rome", "EPYC-Milan", "EPYC-Genoa", "EPYC-Turin");
    private static final List<String> BASES =
            List.of("5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1");
    private static final List<String> VARIANTS =
            List.of("", "", ",spec-ctrl=v1", ",spec-ctrl=v4", ",spec-ctrl=always-intercept");

    @TempDir static Path folder;
    private static Journal journal;

    @BeforeAll
    static void open() {
        journal = Journals.open("file:" + folder, Optional.empty());
    }

    @AfterAll
    static void close() {
        journal.close();
    }

    /// Everything of a trial follows from its seed and vendor.
    private record Trial(String cpu, String base, String candidate, String scenario) {

        static Trial of(long seed, Vendor vendor, int vcpus, boolean timed) {
            Random random = new Random(seed);
            String cpu = one(vendor == Vendor.VMX ? INTEL : AMD, random);
            String base = "kvm-" + one(BASES, random) + one(VARIANTS, random);
            String candidate = "kvm-" + one(BASES, random) + one(VARIANTS, random);
            return new Trial(cpu, base, candidate, RandomScenario.of(seed, vcpus, timed));
        }

        private static String one(List<String> from, Random random) {
            return from.get(random.nextInt(from.size()));
        }

        Session record() {
            Recorded recorded = Guests.record(journal, Guests.scenario(scenario, cpu, base));
            return Session.open(journal, recorded.session());
        }

        @Override
        public String toString() {
            return "%s, %s, %s, %s".formatted(cpu, base, candidate, scenario);
        }
    }

    static Stream<Arguments> seeds() {
        return LongStream.range(0, SEEDS)
                .boxed()
                .flatMap(seed ->
                        Stream.of(Vendor.values()).map(vendor -> Arguments.of(seed, vendor)));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aPolicyDoesNotDifferFromItself(long seed, Vendor vendor) {
        Trial trial = Trial.of(seed, vendor, 2, true);
        try (Session session = trial.record()) {
            DiffResult diff = Guests.diff(session, trial.base());
            assertEquals(Optional.empty(), diff.firstDivergence(), trial::toString);
            assertTrue(diff.guestVisible().identical());
            assertEquals(0, diff.setup());
            assertEquals(Counts.of(diff.base().tally()), Counts.of(diff.candidate().tally()));
        }
    }

    /// The base's figures are those of the recording, counted event by event.
    @ParameterizedTest
    @MethodSource("seeds")
    void theBasesCountsAreTheRecordings(long seed, Vendor vendor) {
        Trial trial = Trial.of(seed, vendor, 2, true);
        try (Session session = trial.record()) {
            List<Envelope> events = recorded(session);
            Tally base = Guests.diff(session, trial.candidate()).base().tally();
            assertEquals(Counts.of(events, vendor), Counts.of(base), trial::toString);
            assertAddUp(base);
        }
    }

    /// What a diff says of the candidate is what recording the guest under it would have given.
    @ParameterizedTest
    @MethodSource("seeds")
    void theCandidatesCountsAreThoseOfARunUnderIt(long seed, Vendor vendor) {
        Trial trial = Trial.of(seed, vendor, 1, false);
        try (Session session = trial.record()) {
            List<Envelope> fresh = Guests.events(under(trial.candidate(), session.parts()));
            DiffResult diff = Guests.diff(session, trial.candidate());
            Tally candidate = diff.candidate().tally();
            assertEquals(Counts.of(fresh, vendor), Counts.of(candidate), trial::toString);
            assertAddUp(candidate);
            assertEquals(fresh, diverted(session, trial.candidate()), trial::toString);
            assertEquals(
                    unequal(ops(recorded(session)), ops(fresh)),
                    diff.guestVisible().count(),
                    trial::toString);
        }
    }

    private static List<Envelope> recorded(Session session) {
        List<Envelope> events = new ArrayList<>();
        session.events((envelope, _) -> events.add(envelope));
        return events;
    }

    /// The ops as the guest saw them end: it cannot tell KVM from userspace.
    private static List<GuestEvent> ops(List<Envelope> events) {
        return events.stream()
                .map(Envelope::event)
                .filter(GuestEvent.class::isInstance)
                .map(event -> ((GuestEvent) event).seen())
                .toList();
    }

    /// In how many places two runs of the same ops are not the same.
    private static long unequal(List<GuestEvent> one, List<GuestEvent> other) {
        assertEquals(one.size(), other.size());
        return IntStream.range(0, one.size()).filter(i -> !one.get(i).equals(other.get(i))).count();
    }

    private static Plan under(String policy, Ingredients parts) {
        Ingredients changed =
                new Ingredients(
                        parts.guestKind(),
                        parts.guestName(),
                        parts.guestText(),
                        parts.seed(),
                        parts.vcpus(),
                        parts.platformText(),
                        parts.modelText(),
                        Guests.policy(policy).identity().text());
        return new Plan(changed, "", policy, Optional.empty());
    }

    private static List<Envelope> diverted(Session session, String policy) {
        List<Envelope> events = new ArrayList<>();
        Diversion diversion = new Diversion(session);
        Execution execution =
                session.parts()
                        .machines(Guests.policy(policy))
                        .execution(diversion.world(), events::add);
        diversion.drive(execution, () -> true);
        return events;
    }

    private static void assertAddUp(Tally tally) {
        assertEquals(tally.exits(), sum(tally.exitsByReason()));
        assertEquals(tally.exits(), LongStream.of(tally.exitsByVcpu()).sum());
        assertTrue(tally.exits() > 0 && tally.events() > tally.exits());
    }

    private static long sum(Map<Long, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /// Else the above would say little: candidates do differ, and much happens.
    @Test
    void theTrialsDiffer() {
        Map<String, Long> happened = new TreeMap<>();
        for (long seed = 0; seed < 4; seed++) {
            for (Vendor vendor : Vendor.values()) {
                Trial trial = Trial.of(seed, vendor, 1, false);
                try (Session session = trial.record()) {
                    DiffResult diff = Guests.diff(session, trial.candidate());
                    diff.firstDivergence().ifPresent(_ -> happened.merge("parted", 1L, Long::sum));
                    Counts.of(diff.base().tally())
                            .forEach((name, count) -> happened.merge(name, count, Long::sum));
                }
            }
        }
        assertTrue(happened.get("parted") >= 4, happened::toString);
        for (String name : List.of("NestedExited", "MsrInterceptChanged", "UserspaceExited")) {
            assertTrue(happened.containsKey(name), name);
        }
    }

    @Test
    void whatOnlyOnePolicyLetsTheGuestDoTheGuestSees() {
        Plan plan =
                Guests.scenario(
                        """
                        scenario: flush
                        program:
                          - repeat: 3
                            do:
                              - wrmsr: {msr: IA32_FLUSH_CMD, value: 1}
                              - cpuid: {leaf: 1}
                        """,
                        "SapphireRapids",
                        "kvm-7.1");
        try (Session session = Session.open(journal, Guests.record(journal, plan).session())) {
            DiffResult diff = Guests.diff(session, "kvm-5.4");
            assertEquals(3, diff.guestVisible().count());
            assertEquals(
                    List.of(1L, 3L, 5L),
                    diff.guestVisible().differences().stream().map(Difference::op).toList());
        }
    }
}
