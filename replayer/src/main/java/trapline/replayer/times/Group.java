package trapline.replayer.times;

/// What one row counts.
final class Group {

    private final Durations inside = new Durations();
    private Durations away;
    private long count;
    private long userspaceExits;
    private long userspaceTime;
    private long haltedTime;

    void happened() {
        count++;
    }

    /// It is over.
    ///
    /// @param userspace how much of it the vCPU spent in userspace, or -1 if it did not go there
    /// @param halted how much of it the vCPU waited, or -1 if it did not halt
    void took(long duration, long userspace, long halted) {
        if (userspace < 0 && halted < 0) {
            inside.add(duration);
            return;
        }
        away = away == null ? new Durations() : away;
        away.add(duration);
        if (userspace >= 0) {
            userspaceExits++;
            userspaceTime += userspace;
        }
        haltedTime += Math.max(0, halted);
    }

    long count() {
        return count;
    }

    /// Of all of them.
    Durations all() {
        return away == null ? inside : Durations.of(inside, away);
    }

    /// Of those that the kernel handled without userspace and without waiting.
    Durations inside() {
        return inside;
    }

    long userspaceExits() {
        return userspaceExits;
    }

    long userspaceTime() {
        return userspaceTime;
    }

    long haltedTime() {
        return haltedTime;
    }
}
