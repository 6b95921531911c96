package trapline.verify.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// The text of a busy host's ftrace, always the same: four vCPUs of a Linux 6.1 that exit for MSRs, interrupts, ports
/// and page faults, and what else their tracepoints tell in between.
final class TraceWorkload {

    private static final int[] MSRS = {0x6e0, 0x6e0, 0x6e0, 0x48, 0x830, 0xc000_0102, 0x3b, 0x10};

    private final SplittableRandom random = new SplittableRandom(1);
    private final StringBuilder text = new StringBuilder();
    private final long[] micros = new long[4];
    private long lines;

    private TraceWorkload() {}

    /// Writes a file of about this size; how many lines it has.
    static long write(Path file, long bytes) throws IOException {
        return new TraceWorkload().run(file, bytes);
    }

    private long run(Path file, long bytes) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            text.append("# tracer: nop\n#\n");
            lines = 2;
            for (long written = 0; written < bytes; ) {
                exit(random.nextInt(4));
                if (text.length() > 1 << 16) {
                    byte[] block = text.toString().getBytes(StandardCharsets.US_ASCII);
                    out.write(block);
                    written += block.length;
                    text.setLength(0);
                }
            }
            out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        }
        return lines;
    }

    private void exit(int vcpu) {
        long rip = 0xffff_ffff_8100_0000L + random.nextInt(1 << 23);
        int kind = random.nextInt(100);
        if (kind < 40) {
            exit(vcpu, "MSR_WRITE", rip, 0);
            line(
                    vcpu,
                    "d..1.",
                    "kvm_msr: msr_write %x = 0x%x"
                            .formatted(
                                    MSRS[random.nextInt(MSRS.length)], random.nextLong() >>> 16));
        } else if (kind < 60) {
            exit(vcpu, "EXTERNAL_INTERRUPT", rip, 0);
        } else if (kind < 75) {
            exit(vcpu, "EPT_VIOLATION", rip, 0x182);
            line(
                    vcpu,
                    ".....",
                    "kvm_page_fault: vcpu %d rip 0x%x address 0x%016x error_code 0x%x"
                            .formatted(vcpu, rip, random.nextLong(1L << 40), 0x182));
        } else if (kind < 87) {
            exit(vcpu, "IO_INSTRUCTION", rip, 0x3f80008);
            line(
                    vcpu,
                    ".....",
                    "kvm_pio: pio_write at 0x3f8 size 1 count 1 val 0x%x "
                            .formatted(random.nextInt(256)));
            line(vcpu, ".....", "kvm_userspace_exit: reason KVM_EXIT_IO (2)");
        } else if (kind < 95) {
            exit(vcpu, "APIC_WRITE", rip, 0xb0);
            line(vcpu, "d..1.", "kvm_apic: apic_write APIC_EOI = 0x0");
            line(vcpu, "d..1.", "kvm_eoi: apicid %x vector %d".formatted(vcpu, 236));
        } else {
            exit(vcpu, "HLT", rip, 0);
            line(
                    vcpu,
                    ".....",
                    "kvm_vcpu_wakeup: wait time %d ns, polling valid"
                            .formatted(random.nextInt(1_000_000)));
            line(
                    vcpu,
                    "d..1.",
                    "sched_switch: prev_comm=CPU %d/KVM prev_pid=%d ==> next_comm=swapper/%d"
                            .formatted(vcpu, 82557 + vcpu, vcpu));
        }
        line(vcpu, "d..1.", "kvm_entry: vcpu %d, rip 0x%x".formatted(vcpu, rip + 2));
    }

    private void exit(int vcpu, String reason, long rip, long info) {
        line(
                vcpu,
                "d..1.",
                ("kvm_exit: vcpu %d reason %s rip 0x%x info1 0x%016x info2 0x%016x intr_info 0x%08x"
                                + " error_code 0x%08x")
                        .formatted(vcpu, reason, rip, info, 0, 0, 0));
    }

    private void line(int vcpu, String flags, String event) {
        micros[vcpu] += 1 + random.nextInt(3);
        long time = 1_655_000_000L + micros[vcpu];
        text.append("       CPU ").append(vcpu).append("/KVM-").append(82557 + vcpu);
        text.append("   [00").append(vcpu).append("] ").append(flags).append("  ");
        text.append(time / 1_000_000).append('.');
        text.append("%06d".formatted(time % 1_000_000)).append(": ").append(event).append('\n');
        lines++;
    }
}
