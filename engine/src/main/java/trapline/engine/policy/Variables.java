package trapline.engine.policy;

/// What a policy's conditions may ask about: the write, the vCPU model, the host, counters.
public interface Variables {

    /// `value`: what is being written.
    long value();

    /// `host_initiated`: userspace writes, not the guest.
    boolean hostInitiated();

    /// `host.eibrs`: the platform has enhanced IBRS.
    boolean hostEibrs();

    /// `host.vmx`: the host is an Intel one.
    boolean hostVmx();

    /// `host.spec_ctrl`: the host's own SPEC_CTRL.
    long hostSpecCtrl();

    /// `guest.ibrs_all`: ARCH_CAPABILITIES shows the guest IBRS_ALL.
    boolean guestIbrsAll();

    /// `guest.autoibrs`: the guest has set EFER.AUTOIBRS.
    boolean guestAutoIbrs();

    /// `vcpu.spec_ctrl`: what was written last, before this write.
    long vcpuSpecCtrl();

    /// `vcpu.exits`: VM exits of this vCPU so far.
    long vcpuExits();

    /// `vcpu.quick_writes`: counted writes in a row, each within the window after the one before.
    long vcpuQuickWrites();

    /// `vcpu.exits_since`: VM exits since the last counted write, or since interception was resumed.
    long vcpuExitsSince();
}
