package trapline.engine.exit;

import trapline.engine.cpu.HardwareMsrs;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.ProcessorTrace;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Kvm;
import trapline.engine.policy.Policy;
import trapline.engine.policy.PtPolicy;
import trapline.engine.policy.PtPolicy.HostStop;
import trapline.engine.policy.PtPolicy.Mode;
import trapline.engine.policy.PtPolicy.When;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// Intel Processor Trace: its MSRs, and whose they are when.
///
/// FACTS 4.4; `vmx_get_msr`, `vmx_set_msr`, `pt_update_intercept_for_msr`, `pt_guest_enter`, `pt_guest_exit`.
public final class PtMsrs implements MsrFamily {

    private final VendorCode vendor;

    PtMsrs(VendorCode vendor) {
        this.vendor = vendor;
    }

    /// Whether host and guest trace each for itself: if the policy wants it, and the processor can (`vmx_init`).
    public static boolean hostGuest(Platform platform, Policy policy) {
        return policy.mechanisms().pt().mode() == Mode.HOST_GUEST
                && platform.vendor() == Vendor.VMX
                && platform.trace().inVmx()
                && platform.controls().contains("SECONDARY_EXEC_ENABLE_EPT")
                && platform.controls().contains("SECONDARY_EXEC_PT_USE_GPA")
                && platform.controls().contains("VM_ENTRY_LOAD_IA32_RTIT_CTL")
                && platform.controls().contains("VM_EXIT_CLEAR_IA32_RTIT_CTL");
    }

    /// When the vCPU is made and its CPUID is set.
    @Override
    public void start(Vcpu v) {
        if (v.setup().traces() && policy(v).passThrough() == When.ALWAYS) {
            pass(v, true);
        }
    }

    @Override
    public boolean covers(int msr) {
        return Msrs.trace(msr);
    }

    @Override
    public MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        if (v.state().vendor() != Vendor.VMX) {
            return MsrResult.UNSUPPORTED;
        }
        return MsrResult.readIf(
                v.setup().traces() && v.setup().model().trace().has(msr),
                msr == Msrs.RTIT_CTL ? v.state().kvm(Kvm.PT_CTL) : v.state().guestTrace(msr));
    }

    @Override
    public MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (v.state().vendor() != Vendor.VMX) {
            return MsrResult.UNSUPPORTED;
        }
        if (!v.setup().traces()) {
            return MsrResult.INVALID;
        }
        return MsrResult.writtenIf(
                msr == Msrs.RTIT_CTL ? control(v, value) : !tracing(v) && accepts(v, msr, value));
    }

    private static boolean accepts(Vcpu v, int msr, long value) {
        ProcessorTrace trace = v.setup().model().trace();
        return trace.has(msr) && HardwareMsrs.validTrace(msr, value, trace);
    }

    private boolean control(Vcpu v, long value) {
        if (v.state().is(Kvm.VMXON)
                || !v.setup().model().trace().accepts(value)
                || changesTrace(v, value)) {
            return false;
        }
        vendor.storeTraceControl(v, value);
        v.set(Kvm.PT_CTL, value);
        updateIntercept(v);
        return true;
    }

    /// While it traces, a write has to stop the trace, or leave all as it is.
    private static boolean changesTrace(Vcpu v, long value) {
        long changed = v.state().kvm(Kvm.PT_CTL) ^ value;
        boolean stops = (value & ProcessorTrace.TRACE_EN) == 0;
        if (policy(v).stopAlone()) {
            return tracing(v) && (changed & ~ProcessorTrace.TRACE_EN) != 0;
        }
        return tracing(v) && !stops && changed != 0;
    }

    /// VMXON by L1: its trace is off from now on, as far as KVM's own copy goes (`enter_vmx_operation`).
    public static void vmxon(Vcpu v) {
        if (v.setup().traces()) {
            v.set(Kvm.PT_CTL, 0);
            updateIntercept(v);
        }
    }

    private static void updateIntercept(Vcpu v) {
        if (policy(v).passThrough() == When.WHILE_TRACING) {
            pass(v, tracing(v));
        }
    }

    private static void pass(Vcpu v, boolean passed) {
        for (int msr : v.setup().traceSet()) {
            Interception.set(v, msr, !passed, !passed);
        }
    }

    private static boolean tracing(Vcpu v) {
        return (v.state().kvm(Kvm.PT_CTL) & ProcessorTrace.TRACE_EN) != 0;
    }

    private static boolean switched(Vcpu v) {
        return switch (policy(v).switched()) {
            case NEVER -> false;
            case WHILE_TRACING -> tracing(v);
            case ALWAYS -> true;
        };
    }

    private static PtPolicy policy(Vcpu v) {
        return v.setup().policy().mechanisms().pt();
    }

    /// Before entry, which loads the guest's RTIT_CTL itself.
    void enter(Vcpu v) {
        long control = v.hostRead(Msrs.RTIT_CTL, HostCause.ENTRY_SAVE);
        boolean stops =
                policy(v).hostStop() == HostStop.WHEN_TRACING
                        && (control & ProcessorTrace.TRACE_EN) != 0;
        if (switched(v) || stops) {
            v.hostWrite(Msrs.RTIT_CTL, 0, HostCause.ENTRY_LOAD);
        }
        if (switched(v)) {
            for (int msr : v.setup().traceSet()) {
                v.hostRead(msr, HostCause.ENTRY_SAVE);
            }
            for (int msr : v.setup().traceSet()) {
                v.hostWrite(msr, v.state().guestTrace(msr), HostCause.ENTRY_LOAD);
            }
        }
    }

    /// After exit, which clears RTIT_CTL itself.
    void leave(Vcpu v) {
        if (switched(v)) {
            for (int msr : v.setup().traceSet()) {
                v.hostRead(msr, HostCause.EXIT_SAVE);
            }
            for (int msr : v.setup().traceSet()) {
                v.hostWrite(msr, v.state().hostTrace(msr), HostCause.EXIT_RESTORE);
            }
        }
        long control = v.state().hostTrace(Msrs.RTIT_CTL);
        if (policy(v).restoreControl() || control != 0) {
            v.hostWrite(Msrs.RTIT_CTL, control, HostCause.EXIT_RESTORE);
        }
    }
}
