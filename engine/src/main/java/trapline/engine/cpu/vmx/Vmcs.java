package trapline.engine.cpu.vmx;

import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// The VMCS fields and control bits that our code names.
public final class Vmcs {

    // spotless:off
    public static final Field PIN_BASED            = field("PIN_BASED_VM_EXEC_CONTROL");
    public static final Field PRIMARY              = field("CPU_BASED_VM_EXEC_CONTROL");
    public static final Field SECONDARY            = field("SECONDARY_VM_EXEC_CONTROL");
    public static final Field TERTIARY             = field("TERTIARY_VM_EXEC_CONTROL");
    public static final Field EXIT_CONTROLS        = field("VM_EXIT_CONTROLS");
    public static final Field ENTRY_CONTROLS       = field("VM_ENTRY_CONTROLS");
    public static final Field EXCEPTION_BITMAP     = field("EXCEPTION_BITMAP");
    public static final Field ENTRY_INTERRUPT_INFO = field("VM_ENTRY_INTR_INFO_FIELD");
    public static final Field ENTRY_ERROR_CODE     = field("VM_ENTRY_EXCEPTION_ERROR_CODE");
    public static final Field ENTRY_LENGTH         = field("VM_ENTRY_INSTRUCTION_LEN");
    public static final Field SPEC_CTRL_MASK       = field("IA32_SPEC_CTRL_MASK");
    public static final Field SPEC_CTRL_SHADOW     = field("IA32_SPEC_CTRL_SHADOW");
    public static final Field EXIT_REASON          = field("VM_EXIT_REASON");
    public static final Field EXIT_QUALIFICATION   = field("EXIT_QUALIFICATION");
    public static final Field EXIT_INTERRUPT_INFO  = field("VM_EXIT_INTR_INFO");
    public static final Field EXIT_ERROR_CODE      = field("VM_EXIT_INTR_ERROR_CODE");
    public static final Field EXIT_LENGTH          = field("VM_EXIT_INSTRUCTION_LEN");
    public static final Field IDT_VECTORING        = field("IDT_VECTORING_INFO_FIELD");
    public static final Field INSTRUCTION_INFO     = field("VMX_INSTRUCTION_INFO");
    public static final Field INSTRUCTION_ERROR    = field("VM_INSTRUCTION_ERROR");
    public static final Field GUEST_PHYSICAL       = field("GUEST_PHYSICAL_ADDRESS");
    public static final Field GUEST_LINEAR         = field("GUEST_LINEAR_ADDRESS");
    public static final Field MSR_BITMAP           = field("MSR_BITMAP");
    public static final Field LINK_POINTER         = field("VMCS_LINK_POINTER");
    public static final Field XSS_EXIT_BITMAP      = field("XSS_EXIT_BITMAP");
    public static final Field CR0_MASK             = field("CR0_GUEST_HOST_MASK");
    public static final Field CR4_MASK             = field("CR4_GUEST_HOST_MASK");
    public static final Field CR0_SHADOW           = field("CR0_READ_SHADOW");
    public static final Field CR4_SHADOW           = field("CR4_READ_SHADOW");
    public static final Field CR3_TARGET_COUNT     = field("CR3_TARGET_COUNT");
    public static final Field EPT_POINTER          = field("EPT_POINTER");
    public static final Field VPID                 = field("VIRTUAL_PROCESSOR_ID");
    public static final Field TSC_OFFSET           = field("TSC_OFFSET");
    public static final Field TSC_MULTIPLIER       = field("TSC_MULTIPLIER");
    public static final Field PLE_GAP              = field("PLE_GAP");
    public static final Field PLE_WINDOW           = field("PLE_WINDOW");
    public static final Field APIC_ACCESS_ADDRESS  = field("APIC_ACCESS_ADDR");
    public static final Field VIRTUAL_APIC_PAGE    = field("VIRTUAL_APIC_PAGE_ADDR");
    public static final Field ACTIVITY_STATE       = field("GUEST_ACTIVITY_STATE");
    public static final Field INTERRUPTIBILITY     = field("GUEST_INTERRUPTIBILITY_INFO");
    public static final Field GUEST_CR0            = field("GUEST_CR0");
    public static final Field GUEST_CR3            = field("GUEST_CR3");
    public static final Field GUEST_CR4            = field("GUEST_CR4");
    public static final Field GUEST_DR7            = field("GUEST_DR7");
    public static final Field GUEST_RIP            = field("GUEST_RIP");
    public static final Field GUEST_RSP            = field("GUEST_RSP");
    public static final Field GUEST_RFLAGS         = field("GUEST_RFLAGS");
    public static final Field GUEST_EFER           = field("GUEST_IA32_EFER");
    public static final Field GUEST_PAT            = field("GUEST_IA32_PAT");
    public static final Field GUEST_DEBUGCTL       = field("GUEST_IA32_DEBUGCTL");
    public static final Field GUEST_RTIT_CTL       = field("GUEST_IA32_RTIT_CTL");
    public static final Field GUEST_FS_BASE        = field("GUEST_FS_BASE");
    public static final Field GUEST_GS_BASE        = field("GUEST_GS_BASE");
    public static final Field HOST_CR0             = field("HOST_CR0");
    public static final Field HOST_CR3             = field("HOST_CR3");
    public static final Field HOST_CR4             = field("HOST_CR4");
    public static final Field HOST_RIP             = field("HOST_RIP");
    public static final Field HOST_RSP             = field("HOST_RSP");
    public static final Field HOST_EFER            = field("HOST_IA32_EFER");
    public static final Field HOST_PAT             = field("HOST_IA32_PAT");
    public static final Field HOST_FS_BASE         = field("HOST_FS_BASE");
    public static final Field HOST_GS_BASE         = field("HOST_GS_BASE");
    public static final Field GUEST_S_CET          = field("GUEST_S_CET");
    public static final Field GUEST_SSP            = field("GUEST_SSP");
    public static final Field GUEST_SSP_TABLE      = field("GUEST_INTR_SSP_TABLE");
    public static final Field HOST_S_CET           = field("HOST_S_CET");
    public static final Field HOST_SSP             = field("HOST_SSP");
    public static final Field HOST_SSP_TABLE       = field("HOST_INTR_SSP_TABLE");
    public static final Field HOST_CS_SELECTOR     = field("HOST_CS_SELECTOR");
    public static final Field HOST_TR_SELECTOR     = field("HOST_TR_SELECTOR");

    public static final long EXTERNAL_INTERRUPT_EXITING = Bits.control("PIN_BASED_EXT_INTR_MASK");
    public static final long VIRTUAL_NMIS          = Bits.control("PIN_BASED_VIRTUAL_NMIS");
    public static final long NMI_EXITING           = Bits.control("PIN_BASED_NMI_EXITING");
    public static final long HLT_EXITING           = Bits.control("CPU_BASED_HLT_EXITING");
    public static final long INVLPG_EXITING        = Bits.control("CPU_BASED_INVLPG_EXITING");
    public static final long RDTSC_EXITING         = Bits.control("CPU_BASED_RDTSC_EXITING");
    public static final long CR3_LOAD_EXITING      = Bits.control("CPU_BASED_CR3_LOAD_EXITING");
    public static final long CR8_LOAD_EXITING      = Bits.control("CPU_BASED_CR8_LOAD_EXITING");
    public static final long CR8_STORE_EXITING     = Bits.control("CPU_BASED_CR8_STORE_EXITING");
    public static final long TPR_SHADOW            = Bits.control("CPU_BASED_TPR_SHADOW");
    public static final long MOV_DR_EXITING        = Bits.control("CPU_BASED_MOV_DR_EXITING");
    public static final long UNCONDITIONAL_IO      = Bits.control("CPU_BASED_UNCOND_IO_EXITING");
    public static final long USE_IO_BITMAPS        = Bits.control("CPU_BASED_USE_IO_BITMAPS");
    public static final long USE_MSR_BITMAPS       = Bits.control("CPU_BASED_USE_MSR_BITMAPS");
    public static final long PAUSE_EXITING         = Bits.control("CPU_BASED_PAUSE_EXITING");
    public static final long INTERRUPT_WINDOW      = Bits.control("CPU_BASED_INTR_WINDOW_EXITING");
    public static final long ACTIVATE_SECONDARY    = Bits.control("CPU_BASED_ACTIVATE_SECONDARY_CONTROLS");
    public static final long ACTIVATE_TERTIARY     = Bits.control("CPU_BASED_ACTIVATE_TERTIARY_CONTROLS");
    public static final long VIRTUALIZE_SPEC_CTRL  = Bits.control("VIRTUALIZE_IA32_SPEC_CTRL");
    public static final long VIRTUALIZE_APIC       = Bits.control("SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES");
    public static final long VIRTUALIZE_X2APIC     = Bits.control("SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE");
    public static final long ENABLE_EPT            = Bits.control("SECONDARY_EXEC_ENABLE_EPT");
    public static final long ENABLE_VPID           = Bits.control("SECONDARY_EXEC_ENABLE_VPID");
    public static final long UNRESTRICTED_GUEST    = Bits.control("SECONDARY_EXEC_UNRESTRICTED_GUEST");
    public static final long PAUSE_LOOP_EXITING    = Bits.control("SECONDARY_EXEC_PAUSE_LOOP_EXITING");
    public static final long ENABLE_RDTSCP         = Bits.control("SECONDARY_EXEC_ENABLE_RDTSCP");
    public static final long ENABLE_XSAVES         = Bits.control("SECONDARY_EXEC_ENABLE_XSAVES");
    public static final long ENABLE_WAIT           = Bits.control("SECONDARY_EXEC_ENABLE_USR_WAIT_PAUSE");
    public static final long ENABLE_INVPCID        = Bits.control("SECONDARY_EXEC_ENABLE_INVPCID");
    public static final long SHADOW_VMCS           = Bits.control("SECONDARY_EXEC_SHADOW_VMCS");
    public static final long TSC_SCALING           = Bits.control("SECONDARY_EXEC_TSC_SCALING");
    public static final long PT_USE_GPA            = Bits.control("SECONDARY_EXEC_PT_USE_GPA");
    public static final long PT_CONCEAL_VMX        = Bits.control("SECONDARY_EXEC_PT_CONCEAL_VMX");
    public static final long ENTRY_PT_CONCEAL_PIP  = Bits.control("VM_ENTRY_PT_CONCEAL_PIP");
    public static final long ENTRY_LOAD_RTIT_CTL   = Bits.control("VM_ENTRY_LOAD_IA32_RTIT_CTL");
    public static final long EXIT_PT_CONCEAL_PIP   = Bits.control("VM_EXIT_PT_CONCEAL_PIP");
    public static final long EXIT_CLEAR_RTIT_CTL   = Bits.control("VM_EXIT_CLEAR_IA32_RTIT_CTL");
    public static final long ENTRY_LOAD_DEBUG      = Bits.control("VM_ENTRY_LOAD_DEBUG_CONTROLS");
    public static final long ENTRY_IA32E_MODE      = Bits.control("VM_ENTRY_IA32E_MODE");
    public static final long ENTRY_LOAD_EFER       = Bits.control("VM_ENTRY_LOAD_IA32_EFER");
    public static final long ENTRY_LOAD_PAT        = Bits.control("VM_ENTRY_LOAD_IA32_PAT");
    public static final long ENTRY_LOAD_CET        = Bits.control("VM_ENTRY_LOAD_CET_STATE");
    public static final long EXIT_LOAD_CET         = Bits.control("VM_EXIT_LOAD_CET_STATE");
    public static final long EXIT_HOST_64          = Bits.control("VM_EXIT_HOST_ADDR_SPACE_SIZE");
    public static final long EXIT_ACK_INTERRUPT    = Bits.control("VM_EXIT_ACK_INTR_ON_EXIT");
    public static final long EXIT_SAVE_DEBUG       = Bits.control("VM_EXIT_SAVE_DEBUG_CONTROLS");
    public static final long EXIT_SAVE_PAT         = Bits.control("VM_EXIT_SAVE_IA32_PAT");
    public static final long EXIT_SAVE_EFER        = Bits.control("VM_EXIT_SAVE_IA32_EFER");
    public static final long EXIT_LOAD_EFER        = Bits.control("VM_EXIT_LOAD_IA32_EFER");
    public static final long EXIT_LOAD_PAT         = Bits.control("VM_EXIT_LOAD_IA32_PAT");
    // spotless:on

    /// Bit 31 of interruption information: it is valid.
    public static final long VALID = 1L << 31;

    /// Bits 10:8 of interruption information: a hardware exception.
    public static final long HARDWARE_EXCEPTION = 3 << 8;

    /// Bit 31 of an exit reason: VM entry failed.
    public static final long ENTRY_FAILURE = 1L << 31;

    public static final int UD_VECTOR = 6;

    private Vmcs() {}

    private static Field field(String name) {
        return Layout.VMCS.named(name);
    }
}
