package trapline.dashboard.live;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;
import trapline.journal.ExitTail.Recent;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitObserved.Took;
import trapline.schemas.SessionHeader;

/// Exits and sessions out of nothing.
final class Exits {

    static final Reason CPUID = new Reason(Vendor.VMX, 10, "CPUID", 0);

    private Exits() {}

    static ExitObserved exit(String session, long order, long millis) {
        return exit(session, order, millis, CPUID);
    }

    static ExitObserved exit(String session, long order, long millis, Reason reason) {
        return exit(session, order, 0, millis, reason);
    }

    static ExitObserved exit(String session, long order, int vcpu, long millis, Reason reason) {
        return new ExitObserved(
                session,
                new Stamp(order, vcpu, order, 0, Scope.VCPU, 0, 0, 0),
                1,
                reason,
                0,
                Subject.NONE,
                new Effort(false, 2, 1, 0, 0, false),
                millis,
                Took.cycles(1_000));
    }

    static Recent recent(List<ExitObserved> exits) {
        return new Recent(exits, List.of(), List.of(), List.of(), 0, Optional.empty());
    }

    static CatalogueEntry entry(String session, long created, Status status) {
        SessionHeader header =
                new SessionHeader(
                        session,
                        created,
                        new SessionHeader.Versions("test", 1),
                        new SessionHeader.Guest(SessionHeader.GuestKind.SCENARIO, "guest", 1),
                        new SessionHeader.Machine("none", 1, 1),
                        "policy",
                        Optional.empty(),
                        List.of());
        return new CatalogueEntry(header, status, created, 0, 0, 0, 0, Optional.empty());
    }
}
