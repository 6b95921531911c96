package trapline.replayer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.journal.SessionReader.Place;
import trapline.replayer.Verification.Check;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ClosingRecord;
import trapline.schemas.EventDecoder;

/// Checks an imported trace from its first byte to its last. No machine of ours made it, so nothing is executed.
final class VerifyImported {

    private final Session session;
    private final EventDecoder decoder;
    private final List<Check> checks = new ArrayList<>();
    private long[] seqs;
    private long events;
    private String gap;
    private String gapPlace = "";

    private VerifyImported(Session session) {
        this.session = session;
        decoder = new EventDecoder(session.reader().writers());
        seqs = new long[session.vcpus()];
    }

    static Verification of(Session session, LongConsumer progress) {
        return new VerifyImported(session).run(progress);
    }

    private Verification run(LongConsumer progress) {
        checks.add(
                new Check("header", true, "an imported trace, which no policy of ours made", ""));
        boolean whole = readEvents(progress);
        if (whole) {
            checks.add(sequence());
            checks.add(counts());
        }
        checks.add(
                new Check(
                        "execution",
                        true,
                        "none: --as POLICY says how well the model's exits match the trace's",
                        ""));
        return new Verification(session.name(), events, List.copyOf(checks));
    }

    private boolean readEvents(LongConsumer progress) {
        return Verify.read(
                session,
                decoder,
                (envelope, place) -> {
                    count(envelope, place);
                    if (events % 10_000 == 0) {
                        progress.accept(events);
                    }
                    return true;
                },
                checks);
    }

    private void count(Envelope envelope, Place place) {
        int vcpu = envelope.stamp().vcpu();
        events++;
        if (vcpu >= seqs.length) {
            seqs = Arrays.copyOf(seqs, vcpu + 1);
        }
        seqs[vcpu]++;
        if (gap == null && envelope.stamp().seq() != seqs[vcpu]) {
            gap =
                    "event %d of vCPU %d says that it is its event %d"
                            .formatted(seqs[vcpu], vcpu, envelope.stamp().seq());
            gapPlace = place.describe();
        }
    }

    private Check sequence() {
        return gap == null
                ? new Check("sequence", true, "%d events without a gap".formatted(events), "")
                : new Check("sequence", false, gap, gapPlace);
    }

    private Check counts() {
        Optional<ClosingRecord> closing = session.entry().closing();
        if (closing.isEmpty()) {
            boolean open = session.entry().status() == Status.OPEN;
            return new Check(
                    "counts",
                    true,
                    open
                            ? "the session is still open"
                            : "the session is torn: its importer did not close it",
                    "");
        }
        String wrong = wrong(closing.get());
        return new Check(
                "counts",
                wrong == null,
                wrong == null ? "those of the closing record" : wrong,
                wrong == null ? "" : session.reader().entryPlace());
    }

    /// What the closing record says that the events do not.
    private String wrong(ClosingRecord closing) {
        if (closing.events() != events) {
            return "%d events, the closing record says %d".formatted(events, closing.events());
        }
        if (!Arrays.equals(closing.vcpuEvents(), seqs)) {
            return "the closing record says otherwise of a vCPU's events";
        }
        return closing.chain() == decoder.chain()
                ? null
                : "the last event's CRC is %08x, the closing record says %08x"
                        .formatted(decoder.chain(), closing.chain());
    }
}
