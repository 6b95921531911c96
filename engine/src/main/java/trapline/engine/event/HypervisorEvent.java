package trapline.engine.event;

/// What the hypervisor did: recomputed under another policy.
///
/// A structure is named by its number as KVM's sources do: 1 (01, runs L1), 2 (02, runs L2) and 12
/// (L1's own).
public sealed interface HypervisorEvent extends Event {

    record VmcsFieldWritten(int vmcs, int field, long old, long value) implements HypervisorEvent {}

    record VmcbFieldWritten(int vmcb, int field, long old, long value) implements HypervisorEvent {}

    /// `read` and `write` say whether such an access exits from now on.
    record MsrInterceptChanged(int bitmap, int msr, boolean read, boolean write)
            implements HypervisorEvent {}

    /// The merge of 01's and 12's MSR bitmap into 02's ended; unusable means that every access exits.
    record NestedBitmapMerged(boolean usable) implements HypervisorEvent {}

    record HostMsrRead(int msr, long value, HostCause cause) implements HypervisorEvent {}

    record HostMsrWritten(int msr, long value, HostCause cause) implements HypervisorEvent {}

    /// The hypervisor's own access raised #GP, which it survived.
    record HostMsrFaulted(int msr, boolean write, long value, HostCause cause)
            implements HypervisorEvent {}

    /// XSETBV by the hypervisor: the processor's own XCR0 got a value.
    record HostExtendedControlWritten(int xcr, long value, HostCause cause)
            implements HypervisorEvent {}

    /// VMSAVE by the hypervisor.
    record HostStateSaved(SaveArea area, Writes written) implements HypervisorEvent {}

    /// VMLOAD by the hypervisor.
    record HostStateLoaded(SaveArea area) implements HypervisorEvent {}

    /// The hypervisor changed guest registers other than by completing an op.
    record RegistersChanged(Writes written) implements HypervisorEvent {}

    /// One of the hypervisor's own variables of this vCPU got a value.
    record VariableChanged(Kvm variable, long old, long value) implements HypervisorEvent {}

    /// An event was queued for the guest, to be delivered at the next entry.
    record EventInjected(int vector, EventType type, int errorCode) implements HypervisorEvent {}

    record UserspaceExited(int reason) implements HypervisorEvent {}

    record UserspaceMsrStored(int msr, long value, Outcome outcome) implements HypervisorEvent {}

    record VcpuLoaded(int pcpu) implements HypervisorEvent {}

    record VcpuPut() implements HypervisorEvent {}

    /// L0 gave an exit of L2 to L1: L1 is the guest again.
    record NestedExited(long reason, long qualification) implements HypervisorEvent {}

    /// The nested page tables got an entry that marks a page as memory-mapped I/O.
    record MmioPageMapped(long frame) implements HypervisorEvent {}

    /// VMCALL was rewritten to VMMCALL, or the reverse, where it stands.
    record HypercallPatched(long rip) implements HypervisorEvent {}

    /// Userspace's request for an MSR filter was carried out, or refused with an error's name.
    record MsrFilterStored(MsrFilter filter, String error) implements HypervisorEvent {}

    /// Userspace's request to be told of failed MSR accesses was carried out, or refused with an error's name.
    ///
    /// @param reasons the bits of [MsrExitReason]
    record MsrExitsStored(int reasons, String error) implements HypervisorEvent {}

    /// `kvm_run` was filled in to ask userspace for an MSR access; `value` is what a write wants to write.
    record UserspaceMsrAsked(int msr, boolean write, long value, MsrExitReason reason)
            implements HypervisorEvent {}

    /// KVM would let these accesses through, the filter does not; none for an MSR that is as KVM wants it.
    record PassThroughWithheld(int msr, boolean read, boolean write) implements HypervisorEvent {}

    /// VMREAD by the hypervisor of a field that the processor changes while the guest runs.
    record VmcsFieldRead(int vmcs, int field, long value) implements HypervisorEvent {}

    /// Userspace's request to force bits of SPEC_CTRL was granted, or refused with an error of KVM's.
    ///
    /// @param vm whether it is about the VM (KVM_ENABLE_CAP), not the vCPU alone
    /// @param error `EINVAL`, or empty
    record SpecCtrlForceAnswered(boolean vm, long mask, long value, String error)
            implements HypervisorEvent {

        public boolean granted() {
            return error.isEmpty();
        }
    }

    /// The hypervisor loaded registers that VMLOAD moves, too, by another instruction than WRMSR and VMLOAD.
    record HostRegistersLoaded(HostInstruction instruction, Writes written)
            implements HypervisorEvent {}

    enum HostInstruction {
        WRGSBASE,
        /// Of the host's task-state segment, once its descriptor says again that it is available.
        LTR,
        LLDT,
        MOV_FS,
        /// Between two SWAPGS, so that the kernel's own GS base stays.
        MOV_GS
    }

    /// Why the hypervisor touched an MSR of the host.
    enum HostCause {
        /// Fetching what the guest last wrote, after an exit.
        EXIT_SAVE,
        ENTRY_LOAD,
        EXIT_RESTORE,
        /// Trying a guest's value on the host.
        VALUE_CHECK,
        /// Keeping one guest's branch predictions from another.
        IBPB,
        LOAD,
        PUT,
        /// Carrying out a guest's command write.
        GUEST_WRITE,
        /// MSRs that matter only once the host is back in user mode.
        USER_RETURN,
        /// Keeping the host's own value, before the guest's takes its place.
        ENTRY_SAVE,
        /// The guest's FPU state, at the begin of KVM_RUN. It is moved by XSAVES and XRSTORS.
        FPU_LOAD,
        /// Back from it to the host's, at the end of KVM_RUN or when the scheduler takes the vCPU off.
        FPU_PUT,
        /// Carrying out a guest's read.
        GUEST_READ
    }

    enum SaveArea {
        HOST,
        VMCB01
    }

    enum EventType {
        INTERRUPT,
        NMI,
        EXCEPTION,
        SOFTWARE
    }
}
