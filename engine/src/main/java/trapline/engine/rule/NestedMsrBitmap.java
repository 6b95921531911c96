package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// `nested-msr-bitmap`: bit for bit, what L2's bitmap passes, L0's for L1 and L1's for L2 pass, too.
final class NestedMsrBitmap implements Rule {

    private static final int[] BASES = {0, 0xc000_0000, 0xc001_0000};
    private static final int RANGE = 0x2000;
    private static final Vmcb.Intercept MSR_PROT = Vmcb.Intercept.named("INTERCEPT_MSR_PROT");

    /// Whether a vCPU's bitmaps may have changed since they were compared.
    private final boolean[] changed;

    private final String[] found;

    NestedMsrBitmap(Scene scene) {
        changed = new boolean[scene.machine().vcpus()];
        found = new String[changed.length];
    }

    @Override
    public void note(Envelope envelope) {
        switch (envelope.event()) {
            case MsrInterceptChanged _,
                    NestedBitmapMerged _,
                    NestedBitmapStored _,
                    NestedFieldStored _,
                    NestedEntered _ ->
                    changed[envelope.stamp().vcpu()] = true;
            default -> {}
        }
    }

    @Override
    public List<Moment> moments() {
        return List.of(Moment.ENTRY);
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        if (vcpu.level() != 2) {
            return Optional.empty();
        }
        if (changed[vcpu.id()]) {
            changed[vcpu.id()] = false;
            found[vcpu.id()] = compare(vcpu);
        }
        return Optional.ofNullable(found[vcpu.id()]);
    }

    private static String compare(VcpuState vcpu) {
        boolean vmx = vcpu.vendor() == Vendor.VMX;
        boolean l1Intercepts = vmx || MSR_PROT.in(vcpu.image(12));
        boolean l1All = vmx && !vcpu.image(12).has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS);
        if (!l1Intercepts || (vmx && !vcpu.image(2).has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS))) {
            return null;
        }
        for (int i = 0; i < vcpu.bitmap(2).words(); i++) {
            long l1 = l1All ? -1 : vcpu.bitmap(12).word(i);
            if (((vcpu.bitmap(1).word(i) | l1) & ~vcpu.bitmap(2).word(i)) != 0) {
                return describe(vcpu, l1All);
            }
        }
        return null;
    }

    private static String describe(VcpuState vcpu, boolean l1All) {
        MsrBitmap l2 = vcpu.bitmap(2);
        for (int base : BASES) {
            for (int msr = base; msr < base + RANGE; msr++) {
                for (boolean write : new boolean[] {false, true}) {
                    boolean passes = l2.covers(msr) && !l2.exits(msr, write);
                    boolean byL0 = passes && vcpu.bitmap(1).exits(msr, write);
                    boolean byL1 = passes && (l1All || vcpu.bitmap(12).exits(msr, write));
                    if (byL0 || byL1) {
                        return "L2 may %s %s, which %s intercepts"
                                .formatted(
                                        write ? "write" : "read",
                                        Msrs.name(msr),
                                        byL0 ? "L0" : "L1");
                    }
                }
            }
        }
        return "L2's bitmap passes what stands for no MSR";
    }
}
