package trapline.engine.exit;

/// MSRs that one part of KVM emulates.
interface MsrFamily {

    boolean covers(int msr);

    /// @param hostInitiated whether userspace reads (KVM_GET_MSRS), not the guest
    MsrResult read(Vcpu v, int msr, boolean hostInitiated);

    /// @param hostInitiated whether userspace writes (KVM_SET_MSRS), not the guest
    MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated);
}
