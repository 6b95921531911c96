package trapline.engine.cpu.svm;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import trapline.engine.cpu.ControlRegisters;
import trapline.engine.cpu.svm.Vmcb.Intercept;
import trapline.engine.state.Image;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;

/// The consistency checks of VMRUN that this model can fail (APM vol. 2, Canonicalization and Consistency Checks).
///
/// A VMCB is checked again only after software wrote to it: a guest that runs keeps its own state valid.
public final class VmrunChecks {

    private static final Intercept VMRUN = Intercept.named("INTERCEPT_VMRUN");
    private static final long CR0_PE = 1;
    private static final long CR0_NW = 1 << 29;
    private static final long CR0_CD = 1 << 30;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long EFER_LME = 1 << 8;
    private static final long EFER_SVME = 1 << 12;
    private static final long EFER_RESERVED = ~((1L << 21) | 0xfd01);
    private static final long CS_L_AND_D = 0x600;
    private static final long PHYSICAL_RESERVED = ControlRegisters.beyondMemory(Vendor.SVM);

    private final Map<String, Predicate<Image>> checks = new LinkedHashMap<>();
    private final long[][] checked;

    public VmrunChecks(MachineState machine) {
        checked = new long[machine.vcpus()][2];
        for (long[] versions : checked) {
            Arrays.fill(versions, -1);
        }
        checks.put("efer-svme", v -> v.has(Vmcb.EFER, EFER_SVME));
        checks.put("cr0-nw-without-cd", v -> v.has(Vmcb.CR0, CR0_CD) || !v.has(Vmcb.CR0, CR0_NW));
        checks.put("cr0-high-bits", v -> v.get(Vmcb.CR0) >>> 32 == 0);
        checks.put("cr3-address", v -> (v.get(Vmcb.CR3) & PHYSICAL_RESERVED) == 0);
        checks.put("cr4-high-bits", v -> v.get(Vmcb.CR4) >>> 32 == 0);
        checks.put("dr6-high-bits", v -> v.get(Vmcb.DR6) >>> 32 == 0);
        checks.put("dr7-high-bits", v -> v.get(Vmcb.DR7) >>> 32 == 0);
        checks.put("efer-reserved-bits", v -> (v.get(Vmcb.EFER) & EFER_RESERVED) == 0);
        checks.put("long-mode-without-pae", v -> !longMode(v) || v.has(Vmcb.CR4, CR4_PAE));
        checks.put("long-mode-without-pe", v -> !longMode(v) || v.has(Vmcb.CR0, CR0_PE));
        checks.put(
                "long-mode-cs-l-and-d",
                v -> !longMode(v) || (v.get(Vmcb.CS_ATTRIBUTES) & CS_L_AND_D) != CS_L_AND_D);
        checks.put("vmrun-intercept", VMRUN::in);
        checks.put("msrpm-address", v -> mapAddress(v.get(Vmcb.MSRPM), 0x2000));
        checks.put("iopm-address", v -> mapAddress(v.get(Vmcb.IOPM), 0x3000));
        checks.put("event-injection-type", VmrunChecks::injection);
        checks.put("asid-not-zero", v -> v.get(Vmcb.ASID) != 0);
    }

    /// What is checked, in order.
    public List<String> names() {
        return List.copyOf(checks.keySet());
    }

    /// The name of the first check that the vCPU's current VMCB fails, or null.
    String firstFailure(VcpuState vcpu) {
        Image vmcb = vcpu.current();
        long[] versions = checked[vcpu.id()];
        int slot = vcpu.level() - 1;
        if (versions[slot] == vmcb.version()) {
            return null;
        }
        String failure = firstFailure(vmcb);
        versions[slot] = failure == null ? vmcb.version() : -1;
        return failure;
    }

    /// The name of the first check that this VMCB fails, or null: what L0 asks of vmcb12.
    public String firstFailure(Image vmcb) {
        for (var check : checks.entrySet()) {
            if (!check.getValue().test(vmcb)) {
                return check.getKey();
            }
        }
        return null;
    }

    private static boolean longMode(Image vmcb) {
        return vmcb.has(Vmcb.EFER, EFER_LME) && vmcb.has(Vmcb.CR0, CR0_PG);
    }

    /// The whole map lies in physical memory.
    private static boolean mapAddress(long address, int length) {
        return ((address | (address + length - 1)) & PHYSICAL_RESERVED) == 0;
    }

    private static boolean injection(Image vmcb) {
        long event = vmcb.get(Vmcb.EVENT_INJ);
        if ((event & Vmcb.VALID) == 0) {
            return true;
        }
        long type = event >>> 8 & 7;
        long vector = event & 0xff;
        return switch ((int) type) {
            case 0, 4 -> true;
            case 2 -> true;
            case 3 -> vector < 32 && vector != 2;
            default -> false;
        };
    }
}
