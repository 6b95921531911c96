package trapline.replayer.times;

/// One vCPU between an exit and the next entry: since when, and what is being timed meanwhile.
final class Handling {

    private static final int DIMENSIONS = Dimension.values().length;

    private final long[] codes = new long[DIMENSIONS];
    private final long[] times = new long[DIMENSIONS];
    private final long[] orders = new long[DIMENSIONS];
    private final int[] pcpus = new int[DIMENSIONS];
    private int timed;

    private boolean outside;
    private boolean wanted = true;
    private boolean readPending;
    private boolean instructionPending;
    private long exitTime;
    private long exitOrder;
    private int exitPcpu;
    private long userspaceSince;
    private boolean inUserspace;
    private long halted;

    void exit(long time, long order, int pcpu, boolean isWanted) {
        forget();
        outside = true;
        wanted = isWanted;
        readPending = true;
        instructionPending = true;
        exitTime = time;
        exitOrder = order;
        exitPcpu = pcpu;
    }

    /// The guest runs again, or its exit is not known.
    void forget() {
        timed = 0;
        outside = false;
        readPending = false;
        inUserspace = false;
        halted = -1;
    }

    boolean outside() {
        return outside;
    }

    boolean wanted() {
        return wanted;
    }

    /// Times something from now on; what of the dimension was timed before no longer is.
    void begin(Dimension dimension, long code, long time, long order, int pcpu) {
        int i = dimension.ordinal();
        codes[i] = code;
        times[i] = time;
        orders[i] = order;
        pcpus[i] = pcpu;
        timed |= 1 << i;
    }

    boolean times(Dimension dimension) {
        return (timed >>> dimension.ordinal() & 1) != 0;
    }

    long code(Dimension dimension) {
        return codes[dimension.ordinal()];
    }

    long since(Dimension dimension) {
        return times[dimension.ordinal()];
    }

    long order(Dimension dimension) {
        return orders[dimension.ordinal()];
    }

    int pcpu(Dimension dimension) {
        return pcpus[dimension.ordinal()];
    }

    long exitTime() {
        return exitTime;
    }

    long exitOrder() {
        return exitOrder;
    }

    int exitPcpu() {
        return exitPcpu;
    }

    /// Whether an MMIO access would be the exit's first: a read is timed from the exit to there.
    boolean takeFirstAccess() {
        boolean first = readPending;
        readPending = false;
        return first;
    }

    /// Whether an instruction would be the exit's own.
    boolean takeInstruction() {
        boolean first = outside && instructionPending;
        instructionPending = false;
        return first;
    }

    void userspace(long time) {
        if (!inUserspace) {
            inUserspace = true;
            userspaceSince = time;
        }
    }

    void halted(long nanos) {
        halted = Math.max(0, halted) + nanos;
    }

    /// How long it has been in userspace, or -1 if it did not go there.
    long inUserspace(long now) {
        return inUserspace ? Math.max(0, now - userspaceSince) : -1;
    }

    /// How long it has waited, or -1 if it did not.
    long halted() {
        return halted;
    }
}
