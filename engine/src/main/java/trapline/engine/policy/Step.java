package trapline.engine.policy;

import java.util.Locale;

/// Something the hypervisor does in a phase of one run. Which, and in what order, is a policy's choice.
public enum Step {
    /// IBPB when what is loaded differs from what was loaded here before.
    IBPB_ON_SWITCH,
    /// Host values of MSRs that matter only in user mode, replaced where the guest's differ.
    USER_RETURN_MSRS,
    USER_RETURN_RESTORE,
    KERNEL_GS_BASE_LOAD,
    KERNEL_GS_BASE_PUT,
    /// A pending event into the structure.
    INJECT,
    WRITE_DIRTY_REGISTERS,
    SPEC_CTRL_ENTER,
    SPEC_CTRL_LEAVE,
    /// SVM before 5.12: the host's state with RDMSR and WRMSR.
    HOST_MSRS_READ,
    HOST_MSRS_WRITE,
    GS_BASE_RESTORE,
    /// SVM since 5.12: the host's state with VMSAVE and VMLOAD.
    HOST_STATE_SAVE,
    VMLOAD_GUEST,
    VMSAVE_GUEST,
    VMLOAD_HOST,
    /// All clean bits but those always dirty, and no TLB command, after #VMEXIT.
    MARK_CLEAN,
    /// Processor Trace, the guest's for the host's and back.
    PT_ENTER,
    PT_LEAVE,
    /// XCR0 and IA32_XSS of the guest, where they differ from the host's, and back.
    XCR0_LOAD,
    XSS_LOAD,
    XSS_RESTORE,
    XCR0_RESTORE,
    /// What of the guest's FPU state is MSRs, for the whole KVM_RUN, and back.
    FPU_LOAD,
    FPU_PUT,
    /// SSBD of AMD processors without it in SPEC_CTRL, the guest's for the host's and back.
    VIRT_SPEC_CTRL_ENTER,
    VIRT_SPEC_CTRL_LEAVE,
    /// The two halves of `spec-ctrl-leave`, for trees that do something between.
    SPEC_CTRL_READ,
    SPEC_CTRL_RESTORE,
    /// SVM before 5.17: the host's task register, by LTR.
    TR_RELOAD,
    /// SVM before 5.12, at put: LLDT; FS; the user's GS base with GS.
    LDT_LOAD,
    FS_LOAD,
    GS_LOAD,
    /// Alternatives of thread 4: the host's GS base by WRGSBASE, or by WRMSR where there is no FSGSBASE.
    WRGSBASE,
    /// TSC_AUX where it is switched at load and put, and yet not in the list: the host's read, the guest's, the host's.
    TSC_AUX_READ,
    TSC_AUX_LOAD,
    TSC_AUX_PUT;

    /// The name in policy files.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
