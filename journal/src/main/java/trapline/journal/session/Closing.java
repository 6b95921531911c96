package trapline.journal.session;

import trapline.schemas.ClosingRecord;

/// A closing record as a log completes it.
public final class Closing {

    private Closing() {}

    public static ClosingRecord withCheckpoints(ClosingRecord closing, int checkpoints) {
        return new ClosingRecord(
                closing.events(),
                closing.vcpuEvents(),
                closing.guestOps(),
                closing.digest(),
                closing.chain(),
                checkpoints,
                closing.reason());
    }
}
