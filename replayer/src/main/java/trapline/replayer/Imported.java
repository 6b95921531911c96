package trapline.replayer;

import java.util.Optional;
import trapline.engine.cpu.Platform;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.engine.state.Vendor;
import trapline.replayer.ReplayException.Kind;
import trapline.schemas.ClosingRecord;

/// Gives an imported trace a machine of the model's to run on.
public final class Imported {

    private Imported() {}

    /// What a trace says of the machine it ran on.
    ///
    /// @param vendor whose exits it has; empty where it has none that tell
    /// @param vcpus how many it shows
    public record Seen(Optional<Vendor> vendor, int vcpus) {}

    /// Reads as much of the trace as it takes: all of it where it has no end yet.
    public static Seen seen(Session session) {
        boolean ended = session.entry().closing().isPresent();
        Vendor[] found = new Vendor[1];
        int[] vcpus = {session.vcpus()};
        session.events((envelope, _) -> {
            vcpus[0] = Math.max(vcpus[0], envelope.stamp().vcpu() + 1);
            if (envelope.event() instanceof TracepointHit hit
                    && found[0] == null
                    && hit.fields().has(hit.point().field("isa"))) {
                found[0] = ObservedFields.vendor(hit);
            }
            return found[0] == null || !ended;
        });
        return new Seen(Optional.ofNullable(found[0]), vcpus[0]);
    }

    /// The session as the guest of a machine, whose userspace offers it all that platform and policy can.
    ///
    /// @param seen what it says of its machine
    /// @param cpu the platform as its user named it
    /// @param seed of what the trace does not tell, like a time stamp
    /// @throws ReplayException where the trace is of the other vendor's
    public static Session on(
            Session session, Seen seen, String cpu, Platform platform, Policy policy, long seed) {
        seen.vendor()
                .filter(vendor -> vendor != platform.vendor())
                .ifPresent(vendor -> {
                    throw new ReplayException(
                            Kind.NOT_APPLICABLE,
                            "",
                            "session %s was traced on %s, and %s has %s"
                                    .formatted(session.name(), vendor, cpu, platform.vendor()));
                });
        Ingredients machine =
                new Ingredients(
                        GuestFile.Kind.TRACE,
                        session.header().guest().name(),
                        describe(session),
                        seed,
                        seen.vcpus(),
                        platform.description().text(),
                        OfferedModel.of(platform, policy).text(),
                        policy.identity().text());
        return session.on(cpu, policy.identity().expression(), machine);
    }

    /// What stands in the place of a guest's text: from which trace its ops are.
    private static String describe(Session session) {
        return session.entry()
                .closing()
                .map(closing -> described(session, closing))
                .orElseGet(() -> "imported session %s\n".formatted(session.name()));
    }

    private static String described(Session session, ClosingRecord closing) {
        return "imported session %s: %d events, chain %08x\n"
                .formatted(session.name(), closing.events(), closing.chain());
    }
}
