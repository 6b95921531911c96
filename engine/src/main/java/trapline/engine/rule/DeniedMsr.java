package trapline.engine.rule;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.Moment;
import trapline.engine.event.MsrFilter;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// `msr-filter`: what runs is not let through to an MSR that userspace's filter denies, in L2 no more than in L1.
final class DeniedMsr implements Rule {

    private static final int[] BASES = {0, 0xc000_0000, 0xc001_0000};
    private static final int RANGE = 0x2000;
    private static final Vmcb.Intercept MSR_PROT = Vmcb.Intercept.named("INTERCEPT_MSR_PROT");

    private final Scene scene;

    /// The level for which a vCPU's bitmap was looked at last; 0 if it may have changed since.
    private final int[] looked;

    private final String[] found;

    DeniedMsr(Scene scene) {
        this.scene = scene;
        looked = new int[scene.machine().vcpus()];
        found = new String[looked.length];
    }

    @Override
    public void note(Envelope envelope) {
        switch (envelope.event()) {
            case MsrInterceptChanged _, NestedBitmapMerged _ -> looked[envelope.stamp().vcpu()] = 0;
            case MsrFilterStored _ -> Arrays.fill(looked, 0);
            default -> {}
        }
    }

    @Override
    public List<Moment> moments() {
        return List.of(Moment.ENTRY);
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        MsrFilter filter = scene.machine().vm().msrFilter();
        if (filter.isEmpty()) {
            return Optional.empty();
        }
        if (looked[vcpu.id()] != vcpu.level()) {
            looked[vcpu.id()] = vcpu.level();
            found[vcpu.id()] = look(vcpu, filter);
        }
        return Optional.ofNullable(found[vcpu.id()]);
    }

    private static String look(VcpuState vcpu, MsrFilter filter) {
        boolean vmx = vcpu.vendor() == Vendor.VMX;
        if (vmx && !vcpu.current().has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)) {
            return null;
        }
        boolean own = vcpu.level() == 2 && (vmx || MSR_PROT.in(vcpu.image(12)));
        MsrBitmap map = vcpu.bitmap(own ? 2 : 1);
        for (int base : BASES) {
            for (int msr = base; msr < base + RANGE; msr++) {
                boolean read = !map.exits(msr, false) && filter.denies(msr, false);
                if (read || (!map.exits(msr, true) && filter.denies(msr, true))) {
                    return "L%d may %s %s, which the filter denies"
                            .formatted(vcpu.level(), read ? "read" : "write", Msrs.name(msr));
                }
            }
        }
        return null;
    }
}
