package trapline.engine.cpu.svm;

import trapline.engine.state.Image;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// The VMCB fields and intercept bits that our code names.
public final class Vmcb {

    // spotless:off
    public static final Field EXCEPTIONS    = field("intercepts2");
    public static final Field ASID          = field("asid");
    public static final Field TLB_CONTROL   = field("tlb_ctl");
    public static final Field INT_CONTROL   = field("int_ctl");
    public static final Field INT_STATE     = field("int_state");
    public static final Field EXIT_CODE     = field("exit_code");
    public static final Field EXIT_INFO_1   = field("exit_info_1");
    public static final Field EXIT_INFO_2   = field("exit_info_2");
    public static final Field EXIT_INT_INFO = field("exit_int_info");
    public static final Field EXIT_INT_ERROR = field("exit_int_info_err");
    public static final Field NESTED_CONTROL = field("misc_ctl");
    public static final Field VIRT_EXT      = field("misc_ctl2");
    public static final Field EVENT_INJ     = field("event_inj");
    public static final Field EVENT_INJ_ERROR = field("event_inj_err");
    public static final Field NESTED_CR3    = field("nested_cr3");
    public static final Field CLEAN         = field("clean");
    public static final Field NEXT_RIP      = field("next_rip");
    public static final Field MSRPM         = field("msrpm_base_pa");
    public static final Field IOPM          = field("iopm_base_pa");
    public static final Field TSC_OFFSET    = field("tsc_offset");
    public static final Field PAUSE_COUNT   = field("pause_filter_count");
    public static final Field PAUSE_THRESHOLD = field("pause_filter_thresh");
    public static final Field RIP           = field("rip");
    public static final Field RSP           = field("rsp");
    public static final Field RAX           = field("rax");
    public static final Field RFLAGS        = field("rflags");
    public static final Field CR0           = field("cr0");
    public static final Field CR2           = field("cr2");
    public static final Field CR3           = field("cr3");
    public static final Field CR4           = field("cr4");
    public static final Field DR6           = field("dr6");
    public static final Field DR7           = field("dr7");
    public static final Field EFER          = field("efer");
    public static final Field PAT           = field("g_pat");
    public static final Field CPL           = field("cpl");
    public static final Field SPEC_CTRL     = field("spec_ctrl");
    public static final Field ERAP_CONTROL  = field("erap_ctl");
    public static final Field CS_ATTRIBUTES = field("cs.attrib");
    // spotless:on

    /// Bit 31 of an injected or interrupted event: it is valid.
    public static final long VALID = 1L << 31;

    /// Type 3 of an event: exception.
    public static final long EXCEPTION = 3 << 8;

    /// Bit 24 of `int_ctl`.
    public static final long V_INTR_MASKING = 1 << 24;

    /// Bits of `erap_ctl`: the guest has all entries, not 32; VMRUN clears them.
    public static final long ALLOW_LARGER_RAP = 1, CLEAR_RAP = 2;

    private Vmcb() {}

    private static Field field(String name) {
        return Layout.VMCB.named(name);
    }

    /// One bit of one intercept word.
    public record Intercept(Field word, long mask) {

        public static Intercept named(String name) {
            Bits.Intercept bit = Bits.intercept(name);
            return new Intercept(Layout.VMCB.field(bit.offset()), bit.mask());
        }

        /// The intercept of a write to a control or debug register, by its number.
        public static Intercept write(String register, int number) {
            return named("INTERCEPT_" + register + number + "_WRITE");
        }

        public boolean in(Image vmcb) {
            return vmcb.has(word, mask);
        }
    }
}
