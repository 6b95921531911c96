package trapline.replayer.observed;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Tracepoint;
import trapline.engine.table.ExitReasons;
import trapline.replayer.observed.TracedOps.Traced;

/// What a VM exit says that the guest did: by its reason, its qualification and what was traced while it was handled.
final class ExitOps {

    private static final long FAILED_ENTRY = 1L << 31;

    /// Of interruption information.
    private static final long VALID = 1L << 31;

    /// What came of an exit.
    sealed interface Found {

        record Op(Traced traced) implements Found {}

        /// An interrupt; 0 where the trace does not have its vector, as on AMD.
        record Interrupt(int vector) implements Found {}

        /// The guest could take an interrupt that had to wait.
        record Window() implements Found {}

        /// No op of the model stands for it.
        record NotModelled() implements Found {}

        /// There is such an op, and the trace does not have what it needs.
        record NotTold() implements Found {}
    }

    private static final Found NOT_MODELLED = new Found.NotModelled();
    private static final Found NOT_TOLD = new Found.NotTold();

    private ExitOps() {}

    static String name(Handling exit) {
        return name(exit.svm(), exit.reason());
    }

    private static String name(boolean svm, long reason) {
        return svm ? ExitReasons.svm(reason) : ExitReasons.vmx(reason);
    }

    static Found of(Handling exit) {
        if (!exit.svm() && (exit.reason() & FAILED_ENTRY) != 0) {
            return NOT_MODELLED;
        }
        return switch (name(exit.svm(), exit.svm() ? exit.reason() : exit.reason() & 0xffff)) {
            case "MSR_READ", "MSR_WRITE", "msr", "MSR_READ_IMM", "MSR_WRITE_IMM" ->
                    told(exit, Tracepoint.KVM_MSR);
            case "CPUID", "cpuid" -> told(exit, Tracepoint.KVM_CPUID);
            case "VMCALL", "hypercall" -> told(exit, Tracepoint.KVM_HYPERCALL);
            case "IO_INSTRUCTION", "io" -> io(exit);
            case "EPT_MISCONFIG" -> told(exit, Tracepoint.KVM_MMIO);
            case "EPT_VIOLATION", "npf", "APIC_ACCESS" ->
                    exit.has(Tracepoint.KVM_MMIO) ? told(exit, Tracepoint.KVM_MMIO) : NOT_MODELLED;
            case "CR_ACCESS" -> controlRegister(exit, exit.field("info1", 0) >>> 4 & 3);
            case "write_cr0", "write_cr3", "write_cr4", "write_cr8", "cr0_sel_write" ->
                    controlRegister(exit, 0);
            case "HLT", "hlt", "idle-halt" -> op(new GuestOp.Hlt(exit.rip()));
            case "PAUSE_INSTRUCTION", "pause" -> op(new GuestOp.Pause(exit.rip()));
            case "RDTSC", "rdtsc" -> op(new GuestOp.Rdtsc(exit.rip()));
            case "INVLPG", "invlpg" -> invlpg(exit);
            case "EXTERNAL_INTERRUPT", "interrupt" -> new Found.Interrupt(vector(exit));
            case "INTERRUPT_WINDOW", "vintr" -> new Found.Window();
            case "DR_ACCESS", "XSETBV", "xsetbv", "INVPCID", "invpcid", "XSAVES", "XRSTORS" ->
                    NOT_TOLD;
            case String name when name.startsWith("write_dr") -> NOT_TOLD;
            default -> NOT_MODELLED;
        };
    }

    private static Found op(GuestOp op) {
        return new Found.Op(new Traced(op));
    }

    private static Found told(Handling exit, Tracepoint by) {
        TracepointHit hit = exit.take(by);
        Optional<Traced> traced =
                hit == null ? Optional.empty() : TracedOps.of(hit, exit.rip(), exit.svm());
        return traced.<Found>map(Found.Op::new).orElse(NOT_TOLD);
    }

    /// Without `kvm_pio` the exit itself has all but the value.
    private static Found io(Handling exit) {
        if (exit.has(Tracepoint.KVM_PIO)) {
            return told(exit, Tracepoint.KVM_PIO);
        }
        if (!exit.tells("info1")) {
            return NOT_TOLD;
        }
        long info = exit.field("info1", 0);
        int port = (int) (info >>> 16 & 0xffff);
        boolean in = exit.svm() ? (info & 1) != 0 : (info >>> 3 & 1) != 0;
        int size = exit.svm() ? (int) (info >>> 4 & 7) : (int) (info & 7) + 1;
        return op(new GuestOp.Io(exit.rip(), port, size, !in, 0));
    }

    /// A MOV to a register needs its value; MOV from one, CLTS and LMSW have no op.
    ///
    /// @param access 0 for MOV to it, as the VMX qualification has it
    private static Found controlRegister(Handling exit, long access) {
        if (exit.has(Tracepoint.KVM_CR)) {
            TracepointHit hit = exit.take(Tracepoint.KVM_CR);
            return TracedOps.of(hit, exit.rip(), exit.svm())
                    .<Found>map(Found.Op::new)
                    .orElse(NOT_MODELLED);
        }
        return access == 0 ? NOT_TOLD : NOT_MODELLED;
    }

    private static Found invlpg(Handling exit) {
        return exit.tells("info1")
                ? op(
                        new GuestOp.TlbInvalidate(
                                exit.rip(), TlbInstruction.INVLPG, 0, exit.field("info1", 0)))
                : NOT_TOLD;
    }

    /// 5.4 prints the interruption information as the second of two values.
    private static int vector(Handling exit) {
        for (String field : List.of("intrInfo", "info2")) {
            long info = exit.field(field, 0);
            if (!exit.svm() && (info & VALID) != 0) {
                return (int) (info & 0xff);
            }
        }
        return 0;
    }
}
