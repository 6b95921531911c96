package trapline.schemas;

/// What of an [ExitObserved] is counted, read without making anything: for who reads hundreds of
/// thousands a second. The next record takes the place of the last.
public final class ExitGlance {

    private static final int NAMES = 256;

    private final String[] names = new String[NAMES];
    private String session = "";
    private int vcpu;
    private long reason;
    private String reasonName = "";
    private long msr;
    private boolean write;
    private boolean reflected;
    private int mutations;
    private int hostMsrReads;
    private int hostMsrWrites;
    private long recordedMillis;

    /// Reads into this one.
    public Codec<ExitGlance> codec() {
        return new Codec<>(
                "ExitObserved",
                (_, _) -> {
                    throw new UnsupportedOperationException("a glance is not written");
                },
                this::read);
    }

    private ExitGlance read(AvroReader in) {
        session = in.readString(session);
        in.readLong(); // order
        vcpu = in.readInt();
        in.readInt(); // pcpu
        in.readLong(); // tick
        in.readLong(); // op
        in.readInt(); // level
        in.readLong(); // vendor
        reason = in.readLong();
        int place = (int) (reason & (NAMES - 1));
        reasonName = in.readString(names[place] == null ? "" : names[place]);
        names[place] = reasonName;
        in.readLong(); // qualification
        in.readLong(); // rip
        msr = present(in) ? Integer.toUnsignedLong(in.readUnsigned()) : -1;
        write = present(in) && in.readBoolean();
        if (present(in)) {
            in.readInt(); // port
        }
        reflected = in.readBoolean();
        in.readInt(); // events
        mutations = in.readInt();
        hostMsrReads = in.readInt();
        hostMsrWrites = in.readInt();
        recordedMillis = in.readLong();
        in.readLong(); // seq
        in.readBoolean(); // userspace
        skipLong(in); // nanos
        skipLong(in); // cycles
        return this;
    }

    private static boolean present(AvroReader in) {
        long branch = in.readLong();
        if (branch != 0 && branch != 1) {
            throw in.damaged("a union's branch, 0 or 1");
        }
        return branch == 1;
    }

    private static void skipLong(AvroReader in) {
        if (present(in)) {
            in.readLong();
        }
    }

    public String session() {
        return session;
    }

    public int vcpu() {
        return vcpu;
    }

    /// Exit reason or code.
    public long reason() {
        return reason;
    }

    /// As `kvm_exit` prints it.
    public String reasonName() {
        return reasonName;
    }

    /// The MSR, unsigned, where the exit was an access to one; else -1.
    public long msr() {
        return msr;
    }

    /// Whether that access, or the I/O, was a write.
    public boolean write() {
        return write;
    }

    public boolean reflected() {
        return reflected;
    }

    public int mutations() {
        return mutations;
    }

    public int hostMsrReads() {
        return hostMsrReads;
    }

    public int hostMsrWrites() {
        return hostMsrWrites;
    }

    public long recordedMillis() {
        return recordedMillis;
    }
}
