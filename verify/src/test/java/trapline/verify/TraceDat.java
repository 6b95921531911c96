package trapline.verify;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes what `trace-cmd record` leaves behind, version 6 as trace-cmd.dat(5) has it, so that `trace-cmd report` prints
/// events that we chose.
///
/// Times must not run backwards on a CPU.
public final class TraceDat {

    private static final int PAGE = 4096;
    private static final int PAGE_HEADER = 16;
    private static final int COMMON = 8;

    /// Events were missed, and how many is stored behind the page's data.
    private static final int MISSED = 0b11 << 30;

    private static final int MOST_DELTA = 1 << 27;

    private static final String HEADER_PAGE =
            """
            \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
            \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
            \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
            \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
            """;

    private static final String HEADER_EVENT =
            """
            # compressed entry header
            \ttype_len    :    5 bits
            \ttime_delta  :   27 bits
            \tarray       :   32 bits

            \tpadding     : type == 29
            \ttime_extend : type == 30
            \ttime_stamp : type == 31
            \tdata max type_len  == 28
            """;

    private static final String COMMON_FIELDS =
            """
            \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
            \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
            \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
            \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

            """;

    /// A tracepoint's record: fields of 1, 4 or 8 bytes, aligned like a C struct.
    private static final class Format {
        private final int id;
        private final String text;
        private final List<Integer> sizes = new ArrayList<>();

        /// @param fields `type name` each, separated by commas
        Format(int id, String name, String fields, String print) {
            this.id = id;
            StringBuilder out = new StringBuilder();
            out.append("name: ").append(name).append("\nID: ").append(id).append("\nformat:\n");
            out.append(COMMON_FIELDS);
            int offset = COMMON;
            for (String field : fields.split(", ")) {
                int size = size(field);
                sizes.add(size);
                offset = align(offset, size);
                out.append(
                        "\tfield:%s;\toffset:%d;\tsize:%d;\tsigned:%d;%n"
                                .formatted(field, offset, size, field.startsWith("int ") ? 1 : 0));
                offset += size;
            }
            text = out.append("\nprint fmt: ").append(print).append('\n').toString();
        }

        private static int size(String field) {
            return field.startsWith("u64 ") || field.startsWith("unsigned long ")
                    ? 8
                    : field.startsWith("u8 ") || field.startsWith("bool ") ? 1 : 4;
        }

        byte[] record(int pid, long... values) {
            ByteBuffer out = ByteBuffer.allocate(112).order(ByteOrder.LITTLE_ENDIAN);
            out.putShort((short) id).put((byte) 0).put((byte) 0).putInt(pid);
            for (int i = 0; i < values.length; i++) {
                out.position(align(out.position(), sizes.get(i)));
                switch (sizes.get(i)) {
                    case 8 -> out.putLong(values[i]);
                    case 4 -> out.putInt((int) values[i]);
                    default -> out.put((byte) values[i]);
                }
            }
            byte[] record = new byte[align(out.position(), 4)];
            System.arraycopy(out.array(), 0, record, 0, record.length);
            return record;
        }
    }

    private static int align(int offset, int size) {
        return (offset + size - 1) / size * size;
    }

    private static final String REASON =
            "(REC->isa == 1) ? __print_symbolic(REC->exit_reason & 0xffff, { 1, \"EXTERNAL_INTERRUPT\" },"
                    + " { 30, \"IO_INSTRUCTION\" }, { 32, \"MSR_WRITE\" }, { 33, \"INVALID_STATE\" },"
                    + " { 48, \"EPT_VIOLATION\" }, { 56, \"APIC_WRITE\" }) :"
                    + " __print_symbolic(REC->exit_reason, { 0x7c, \"msr\" }, { 0x400, \"npf\" }),"
                    + " (REC->isa == 1 && REC->exit_reason & ~0xffff) ? \" \" : \"\","
                    + " (REC->isa == 1 && REC->exit_reason & ~0xffff) ?"
                    + " __print_flags(REC->exit_reason & ~0xffff, \" \", { 0x80000000, \"FAILED_VMENTRY\" }) : \"\"";

    // spotless:off
    private static final Format EXIT = new Format(2001, "kvm_exit",
            "unsigned int exit_reason, unsigned long guest_rip, u32 isa, u64 info1, u64 info2, u32 intr_info,"
                    + " u32 error_code, unsigned int vcpu_id",
            "\"vcpu %u reason %s%s%s rip 0x%lx info1 0x%016llx info2 0x%016llx intr_info 0x%08x error_code 0x%08x\","
                    + " REC->vcpu_id, " + REASON + ", REC->guest_rip, REC->info1, REC->info2, REC->intr_info, REC->error_code");
    private static final Format ENTRY = new Format(2002, "kvm_entry",
            "unsigned int vcpu_id, unsigned long rip", "\"vcpu %u, rip 0x%lx\", REC->vcpu_id, REC->rip");
    private static final Format MSR = new Format(2003, "kvm_msr",
            "unsigned int write, u32 ecx, u64 data, u8 exception",
            "\"msr_%s %x = 0x%llx%s\", REC->write ? \"write\" : \"read\", REC->ecx, REC->data,"
                    + " REC->exception ? \" (#GP)\" : \"\"");
    private static final Format PIO = new Format(2004, "kvm_pio",
            "unsigned int rw, unsigned int port, unsigned int size, unsigned int count, unsigned int val",
            "\"pio_%s at 0x%x size %d count %d val 0x%x %s\", REC->rw ? \"write\" : \"read\", REC->port, REC->size,"
                    + " REC->count, REC->val, REC->count > 1 ? \"(...)\" : \"\"");
    // spotless:on

    private final List<Cpu> cpus = new ArrayList<>();
    private final SortedMap<Integer, String> tasks = new TreeMap<>();

    public TraceDat(int cpus) {
        for (int i = 0; i < cpus; i++) {
            this.cpus.add(new Cpu());
        }
    }

    /// The pages of one CPU's ring buffer.
    private static final class Cpu {
        private final ByteArrayOutputStream full = new ByteArrayOutputStream();
        private final ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        private long begun;
        private long last;
        private long lost;
        private long begunLost;

        /// The next event begins a page that says so.
        void lose(long count) {
            flush();
            lost = count;
        }

        void add(long time, byte[] record) {
            boolean fits = page.remaining() >= 4 + record.length;
            if (!fits || time - last >= MOST_DELTA || page.position() == 0) {
                flush();
                begun = time;
                last = time;
                begunLost = lost;
                lost = 0;
                page.position(PAGE_HEADER);
            }
            page.putInt(record.length / 4 | (int) (time - last) << 5).put(record);
            last = time;
        }

        void flush() {
            if (page.position() > 0) {
                int commit = page.position() - PAGE_HEADER;
                if (begunLost > 0 && page.remaining() >= 8) {
                    page.putLong(begunLost);
                    commit |= MISSED;
                }
                page.putLong(0, begun).putLong(8, commit & 0xffff_ffffL);
                full.write(page.array(), 0, PAGE);
                page.clear();
                page.put(new byte[PAGE]).clear();
            }
        }
    }

    public void task(int pid, String name) {
        tasks.put(pid, name);
    }

    public void exit(
            int cpu,
            long time,
            int pid,
            int vcpu,
            int isa,
            long reason,
            long rip,
            long info1,
            long info2) {
        cpus.get(cpu).add(time, EXIT.record(pid, reason, rip, isa, info1, info2, 0, 0, vcpu));
    }

    public void entry(int cpu, long time, int pid, int vcpu, long rip) {
        cpus.get(cpu).add(time, ENTRY.record(pid, vcpu, rip));
    }

    public void msr(
            int cpu, long time, int pid, boolean write, int msr, long value, boolean fault) {
        cpus.get(cpu).add(time, MSR.record(pid, write ? 1 : 0, msr, value, fault ? 1 : 0));
    }

    public void pio(int cpu, long time, int pid, boolean write, int port, int value) {
        cpus.get(cpu).add(time, PIO.record(pid, write ? 1 : 0, port, 1, 1, value));
    }

    /// Says that the tracer lost events before the next one.
    public void lose(int cpu, long count) {
        cpus.get(cpu).lose(count);
    }

    public void write(Path file) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {0x17, 0x08, 0x44});
        string(out, "tracing6\0");
        out.write(0);
        out.write(8);
        out.writeBytes(number(PAGE, 4));
        string(out, "header_page\0");
        sized(out, HEADER_PAGE);
        string(out, "header_event\0");
        sized(out, HEADER_EVENT);
        out.writeBytes(number(0, 4));
        out.writeBytes(number(1, 4));
        string(out, "kvm\0");
        List<Format> formats = List.of(EXIT, ENTRY, MSR, PIO);
        out.writeBytes(number(formats.size(), 4));
        formats.forEach(format -> sized(out, format.text));
        out.writeBytes(number(0, 4));
        out.writeBytes(number(0, 4));
        StringBuilder names = new StringBuilder();
        tasks.forEach((pid, name) -> names.append(pid).append(' ').append(name).append('\n'));
        sized(out, names.toString());
        out.writeBytes(number(cpus.size(), 4));
        string(out, "flyrecord\0");
        pages(out);
        Files.write(file, out.toByteArray());
    }

    private void pages(ByteArrayOutputStream out) {
        int offset = align(out.size() + 16 * cpus.size(), PAGE);
        int first = offset;
        for (Cpu cpu : cpus) {
            cpu.flush();
            out.writeBytes(number(offset, 8));
            out.writeBytes(number(cpu.full.size(), 8));
            offset += cpu.full.size();
        }
        out.writeBytes(new byte[first - out.size()]);
        cpus.forEach(cpu -> out.writeBytes(cpu.full.toByteArray()));
    }

    private static void string(ByteArrayOutputStream out, String text) {
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void sized(ByteArrayOutputStream out, String text) {
        out.writeBytes(number(text.length(), 8));
        string(out, text);
    }

    private static byte[] number(long value, int bytes) {
        ByteBuffer out = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        byte[] number = new byte[bytes];
        System.arraycopy(out.array(), 0, number, 0, bytes);
        return number;
    }
}
