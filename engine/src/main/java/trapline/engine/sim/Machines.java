package trapline.engine.sim;

import java.util.List;
import java.util.stream.IntStream;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Processor;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.cpu.World;
import trapline.engine.cpu.svm.SvmProcessor;
import trapline.engine.cpu.svm.VmrunChecks;
import trapline.engine.cpu.vmx.AllowedControls;
import trapline.engine.cpu.vmx.EntryChecks;
import trapline.engine.cpu.vmx.VmxProcessor;
import trapline.engine.event.InputEvent;
import trapline.engine.exit.HostValues;
import trapline.engine.exit.Hypervisor;
import trapline.engine.exit.PtMsrs;
import trapline.engine.exit.Setup;
import trapline.engine.exit.SupervisorState;
import trapline.engine.exit.Vcpu;
import trapline.engine.exit.VendorCode;
import trapline.engine.exit.svm.SvmCode;
import trapline.engine.exit.vmx.VmxCode;
import trapline.engine.policy.Policy;
import trapline.engine.state.MachineConfig;
import trapline.engine.state.MachineState;
import trapline.engine.state.Vendor;

/// Puts machines together: silicon, vCPU model and policy in, an [Execution] out.
///
/// @param vcpus how many virtual CPUs
/// @param wishes what userspace asks of the VM before it has vCPUs
public record Machines(
        Platform platform, VcpuModel model, Policy policy, int vcpus, List<InputEvent> wishes) {

    public Machines {
        Applicability.check(policy, platform);
    }

    public Machines(Platform platform, VcpuModel model, Policy policy, int vcpus) {
        this(platform, model, policy, vcpus, List.of());
    }

    /// How many physical CPUs there are: the platform's, and one for each vCPU at least.
    public int pcpus() {
        return Math.max(platform.host().pcpus(), vcpus);
    }

    /// What state has to know of such a machine.
    public MachineConfig config() {
        return new MachineConfig(
                platform.vendor(),
                vcpus,
                pcpus(),
                platform.has("V_SPEC_CTRL"),
                PtMsrs.hostGuest(platform, policy),
                platform.quirks().storesSpecCtrlShadow(),
                platform.has("ERAPS") ? platform.predictor().entries() : 0,
                SupervisorState.cetSwitched(platform, policy),
                platform.extendedStates().xcr0(),
                IntStream.range(0, pcpus())
                        .mapToObj(pcpu -> HostValues.msrs(platform, policy, pcpu))
                        .toList(),
                IntStream.range(0, pcpus()).mapToObj(HostValues::segments).toList());
    }

    /// A new machine; each vCPU begins on the pCPU of its own number.
    public Execution execution(World world, EventSink sink) {
        MachineState machine = new MachineState(config());
        Setup setup = new Setup(platform, model, policy, world);
        Vcpu[] contexts = new Vcpu[vcpus];
        Timeline[] timelines = new Timeline[vcpus];
        for (int i = 0; i < vcpus; i++) {
            timelines[i] = new Timeline(machine, machine.vcpu(i), sink);
            contexts[i] = new Vcpu(machine.vcpu(i), machine, timelines[i], setup);
        }
        boolean vmx = platform.vendor() == Vendor.VMX;
        Processor processor =
                vmx
                        ? new VmxProcessor(machine, platform, world)
                        : new SvmProcessor(machine, platform, world);
        VendorCode vendor =
                vmx
                        ? new VmxCode(
                                policy,
                                new AllowedControls(platform),
                                new EntryChecks(machine, platform))
                        : new SvmCode(policy, new VmrunChecks(machine));
        return new Execution(
                machine, processor, new Hypervisor(vendor, setup), contexts, timelines, wishes);
    }
}
