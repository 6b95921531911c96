package trapline.verify.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionWriter;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitObserved.Took;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.Guest;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.SessionHeader.Versions;

/// Exits into the topic that dashboards read, so many a second, as the recorder of a busy host writes them.
final class ExitLoad {

    private static final int VCPUS = 8;
    private static final int BURST_MILLIS = 5;

    private record Kind(Reason reason, Subject subject, long cycles) {}

    private static final Kind[] KINDS = {
        msr("MSR_WRITE", 32, 0x6e0, true, 2_100),
        msr("MSR_WRITE", 32, 0x48, true, 2_400),
        msr("MSR_READ", 31, 0x48, false, 1_950),
        new Kind(reason("EXTERNAL_INTERRUPT", 1), Subject.NONE, 2_500),
        new Kind(reason("HLT", 12), Subject.NONE, 4_000),
        new Kind(reason("CPUID", 10), Subject.NONE, 2_000),
        new Kind(
                reason("IO_INSTRUCTION", 30),
                new Subject(Optional.empty(), Optional.of(true), Optional.of(0x3f8)),
                9_000),
        new Kind(reason("EPT_VIOLATION", 48), Subject.NONE, 3_000),
    };

    private ExitLoad() {}

    private static Reason reason(String name, long number) {
        return new Reason(Vendor.VMX, number, name, 0);
    }

    private static Kind msr(String name, long number, int msr, boolean write, long cycles) {
        Subject subject = new Subject(Optional.of(msr), Optional.of(write), Optional.empty());
        return new Kind(reason(name, number), subject, cycles);
    }

    /// @param perSecond 0 for as many as the log takes
    static Map<String, Object> run(String log, long perSecond, long exits) {
        String session = "load-" + Long.toString(System.nanoTime(), 36);
        try (Journal journal = Journals.open(log, Optional.empty());
                SessionWriter writer = journal.create(header(session), Map.of())) {
            long start = System.nanoTime();
            long sent = 0;
            while (sent < exits) {
                long due =
                        perSecond == 0
                                ? sent + 4096
                                : (System.nanoTime() - start) / 1000 * perSecond / 1_000_000;
                long until = Math.min(due, exits);
                while (sent < until) {
                    writer.exit(exit(session, sent++));
                }
                if (perSecond != 0) {
                    LockSupport.parkNanos(BURST_MILLIS * 1_000_000L);
                }
            }
            writer.finish(
                    new ClosingRecord(
                            0, new long[VCPUS], 0, Digest.of(new byte[] {0}), 0, 0, "no guest"));
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("session", session);
            result.put("exits", exits);
            result.put("exitsPerSecond", exits * 1e9 / (System.nanoTime() - start));
            return result;
        }
    }

    private static SessionHeader header(String session) {
        return new SessionHeader(
                session,
                System.currentTimeMillis(),
                new Versions("benchmark", 1),
                new Guest(GuestKind.SCENARIO, "load", 1),
                new Machine("Icelake-Server", VCPUS, VCPUS),
                "kvm-6.18",
                Optional.empty(),
                List.of());
    }

    private static ExitObserved exit(String session, long number) {
        int vcpu = (int) (number % VCPUS);
        Kind kind = KINDS[(int) (((number * 0x9e37_79b9L) >>> 16) & (KINDS.length - 1))];
        long order = 5 * number + 1;
        return new ExitObserved(
                session,
                new Stamp(
                        order, vcpu, number / VCPUS + 1, vcpu, Scope.VCPU, 100 * number, number, 0),
                1,
                kind.reason(),
                0xffff_ffff_8100_0000L + (number & 0xfff),
                kind.subject(),
                new Effort(false, 5, 4, 1, 1, false),
                System.currentTimeMillis(),
                Took.cycles(kind.cycles() + (number & 0xff)));
    }
}
