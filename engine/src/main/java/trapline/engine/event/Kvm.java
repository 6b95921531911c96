package trapline.engine.event;

/// The hypervisor's own state of one vCPU, each item a number. New ones go to the end.
public enum Kvm {
    /// 0 in the hypervisor, 1 in the guest, 2 halted.
    MODE,
    /// 1 while L1 is the guest, 2 while L2 is.
    LEVEL,
    LOADED,
    /// The pCPU it is loaded on, or was last.
    PCPU,
    /// Host state was saved since the vCPU was loaded.
    GUEST_STATE_LOADED,
    /// `vcpu.spec_ctrl`: the software copy, where hardware keeps none.
    SPEC_CTRL,
    VIRT_SPEC_CTRL,
    ARCH_CAPABILITIES,
    EXITS,
    LAUNCHED_01,
    LAUNCHED_02,
    /// Pending virtual interrupts by vector, 64 to a word.
    PENDING_0,
    PENDING_1,
    PENDING_2,
    PENDING_3,
    /// L1 executed VMXON.
    VMXON,
    /// Guest-physical address of the current vmcs12 or vmcb12, plus 1; 0 for none.
    CURRENT_12,
    LAUNCHED_12,
    FORCE_BITMAP_RECALC,
    /// Whether vmcs02 or vmcb02 uses the merged bitmap.
    NESTED_BITMAP_USABLE,
    /// The processor's own: ticks of the first and the last PAUSE of a loop, and what is left to the filter.
    PAUSE_FIRST,
    PAUSE_LAST,
    PAUSE_LEFT,
    /// The pCPU that the structure was last prepared for, plus 1.
    HOME_PCPU,
    /// Writes of SPEC_CTRL in a row that a policy counts as quick, and the exits so far at the last of them.
    QUICK_WRITES,
    EXITS_SNAPSHOT,
    /// `pt_desc.guest.ctl`: what KVM takes the guest's RTIT_CTL for.
    PT_CTL,
    /// Which MSRs exit is to be computed anew before the next entry (KVM_REQ_RECALC_INTERCEPTS).
    RECALC_INTERCEPTS,
    /// What the guest wrote to SPEC_CTRL last, where bits can be forced.
    SPEC_CTRL_SHADOW,
    /// The bits of SPEC_CTRL that the guest cannot change, and those of them that are set.
    FORCE_MASK,
    FORCE_VALUE,
    /// The part of them that userspace asked of this vCPU alone.
    REQUESTED_MASK,
    REQUESTED_VALUE,
    /// The virtual MSRs 0x50000000 to 0x50000002.
    VIRTUAL_ENUMERATION,
    VIRTUAL_MITIGATION_ENUM,
    VIRTUAL_MITIGATION_CTRL,
    /// How deep L1 and L2 are in calls, as far as the predictor of return addresses sees it.
    CALL_DEPTH_1,
    CALL_DEPTH_2,
    /// Why CLEAR_RAP was set in vmcb01 and vmcb02 since the last flush: a `RapCause`'s place plus 1.
    RAP_CAUSE_01,
    RAP_CAUSE_02,
    /// KVM's dirty bit of the return-address predictor: why, as above.
    RAP_DIRTY,
    /// Off its pCPU, which then 1 slept or 2 ran another task, where that matters to the predictor.
    TASK_SWITCHED,
    /// `vcpu.ia32_xss`.
    XSS;

    private static final Kvm[] ALL = values();

    public static final int COUNT = ALL.length;

    public static Kvm of(int number) {
        return ALL[number];
    }
}
