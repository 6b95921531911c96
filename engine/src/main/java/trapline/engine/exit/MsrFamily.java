package trapline.engine.exit;

/// MSRs that one part of KVM emulates.
interface MsrFamily {

    boolean covers(int msr);

    /// When the vCPU is made and its CPUID is set: what is passed through, and initial values.
    default void start(Vcpu v) {}

    /// @param hostInitiated whether userspace reads (KVM_GET_MSRS), not the guest
    MsrResult read(Vcpu v, int msr, boolean hostInitiated);

    /// @param hostInitiated whether userspace writes (KVM_SET_MSRS), not the guest
    MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated);
}
