package trapline.engine.sim;

import java.util.Optional;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.guest.Guest;
import trapline.engine.guest.GuestFile;
import trapline.engine.guest.Scenario;
import trapline.engine.guest.Vmm;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;

/// All that an execution is made of, as the texts that a session keeps.
public record Ingredients(
        GuestFile.Kind guestKind,
        String guestName,
        String guestText,
        long seed,
        int vcpus,
        String platformText,
        String modelText,
        String policyText) {

    /// The version of the model: executions of another version need not come out alike.
    public static final int MODEL_VERSION = 1;

    public Platform platform() {
        return Platforms.parse(platformText);
    }

    public Policy policy() {
        return Policies.parse(policyText);
    }

    /// The machine, under the recorded policy or another one.
    public Machines machines(Policy policy) {
        return new Machines(
                platform(), VcpuModel.parse(modelText), policy, vcpus, file().wishesOfVm());
    }

    /// The userspace around the guest.
    public Vmm vmm() {
        return guestKind == GuestFile.Kind.SCENARIO
                ? Scenario.parse(guestText, guestName).vmm()
                : Vmm.PLAIN;
    }

    /// The world as this session determines it.
    public ModelWorld world() {
        return new ModelWorld(seed, vcpus, this::vmm);
    }

    /// The guest, ready to run from its beginning.
    public Guest guest() {
        Optional<Integer> count =
                guestKind == GuestFile.Kind.SCENARIO ? Optional.of(vcpus) : Optional.empty();
        return file().guest(platform().vendor(), count);
    }

    private GuestFile file() {
        return new GuestFile(guestKind, guestName, "", "", GuestFile.Wishes.NONE, guestText);
    }
}
