package trapline.recorder.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever bytes a line has, it is counted once, and no other line suffers.
class MutatedTracesTest {

    private static final int LINES = 20_000;
    private static final byte[] GOOD =
            " good-77 [009] ..... 9.000000: kvm_fpu: load\n".getBytes(StandardCharsets.US_ASCII);

    private static byte[] resource(String name) throws IOException {
        try (InputStream in =
                MutatedTracesTest.class.getResourceAsStream("/trapline/traces/" + name)) {
            return in.readAllBytes();
        }
    }

    private static String[] samples() throws IOException {
        byte[] trace =
                new GZIPInputStream(
                                new ByteArrayInputStream(
                                        resource("msr-filter-vmm.kvm.ftrace.txt.gz")))
                        .readAllBytes();
        String all =
                new String(trace, StandardCharsets.US_ASCII)
                        + new String(resource("kvm-exit-samples.txt"), StandardCharsets.US_ASCII)
                        + "CPU:3 [LOST 12 EVENTS]\nCPU:2 [7 EVENTS DROPPED]\n"
                        + " CPU 0/KVM  1/2 [039] 5.000000001:   1 kvm:kvm_fpu: load\n"
                        + "qemu-4000    0d..1.  17us+: kvm_fpu: load\n"
                        + "1 0.157431 vcpu0 rdmsr 0xc0000080 0x0 0000000001000888 ?\n";
        return all.lines().filter(line -> !line.startsWith("#")).toArray(String[]::new);
    }

    /// Lines of real traces with bytes changed, cut out, doubled or cut off, each followed by a good one.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void eachLineIsCountedOnceAndTheNextOneIsRead(long seed) throws IOException {
        String[] samples = samples();
        SplittableRandom random = new SplittableRandom(seed);
        ByteArrayOutputStream trace = new ByteArrayOutputStream();
        trace.writeBytes(GOOD);
        for (int i = 0; i < LINES; i++) {
            byte[] line =
                    samples[random.nextInt(samples.length)].getBytes(StandardCharsets.US_ASCII);
            trace.writeBytes(mutated(line, random));
            trace.write('\n');
            trace.writeBytes(GOOD);
        }
        Seen seen = Seen.of(trace.toByteArray());
        assertEquals(2 * LINES + 1, seen.summary.lines());
        assertEquals(LINES + 1, seen.hits.stream().filter(hit -> hit.thread() == 77).count());
        assertEquals(sum(seen.summary.parsed()), seen.hits.size());
        assertEquals(
                2 * LINES + 1,
                sum(seen.summary.parsed())
                        + sum(seen.summary.skipped())
                        + seen.summary.malformed()
                        + seen.summary.gaps()
                        + comments(trace.toByteArray()));
    }

    private static long comments(byte[] trace) {
        return new String(trace, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> line.isEmpty() || line.startsWith("#") || line.equals("\r"))
                .count();
    }

    private static byte[] mutated(byte[] line, SplittableRandom random) {
        byte[] bytes = line;
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] = mark(random);
                case 1 -> bytes[at] = (byte) " -[]().:|=0x%9,".charAt(random.nextInt(15));
                case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
                case 3 -> bytes = Arrays.copyOfRange(bytes, at, bytes.length);
                default -> bytes = doubled(bytes, at);
            }
        }
        return bytes;
    }

    /// Any byte that does not end a line or begin a comment.
    private static byte mark(SplittableRandom random) {
        byte mark = (byte) random.nextInt(256);
        return mark == '\n' || mark == '\r' || mark == '#' ? (byte) '-' : mark;
    }

    private static byte[] doubled(byte[] bytes, int at) {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
        System.arraycopy(bytes, at, longer, at + 1, bytes.length - at);
        return longer;
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /// Names may not cost memory for ever: 2,000 are told apart, of which one is kept for logs of accesses.
    @Test
    void namesOfEventsAreBounded() {
        StringBuilder trace = new StringBuilder(new String(GOOD, StandardCharsets.US_ASCII));
        for (int i = 0; i < 5_000; i++) {
            trace.append(" a-1 [003] ..... 9.000000: event_%d: x\n".formatted(i));
        }
        Seen seen = Seen.of(trace.toString());
        assertEquals(5_000, sum(seen.summary.skipped()));
        assertEquals(5_000 - 1_999, seen.summary.skipped().get("(others)"));
    }
}
