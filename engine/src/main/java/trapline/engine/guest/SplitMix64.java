package trapline.engine.guest;

/// The generator SplitMix64 (Steele, Lea, Flood 2014): its name and its seed say every number.
public final class SplitMix64 {

    private static final long GAMMA = 0x9e37_79b9_7f4a_7c15L;

    private long state;

    public SplitMix64(long seed) {
        state = seed;
    }

    /// A generator for one purpose of one vCPU, from the session's seed.
    public static SplitMix64 of(long seed, int vcpu, long purpose) {
        long mixed = mix(seed) ^ mix(0x5851_f42d_4c95_7f2dL * (vcpu + 1)) ^ mix(purpose);
        return new SplitMix64(mixed);
    }

    public long next() {
        state += GAMMA;
        return mix(state);
    }

    /// A number from `least` to `most`, both included, unsigned.
    public long between(long least, long most) {
        long span = most - least + 1;
        return span == 0 ? next() : least + Long.remainderUnsigned(next(), span);
    }

    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
        long b = (a ^ (a >>> 27)) * 0x94d0_49bb_1331_11ebL;
        return b ^ (b >>> 31);
    }
}
