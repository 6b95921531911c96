package trapline.schemas;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.event.Envelope;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Machines;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.MachineConfig;
import trapline.engine.state.MachineState;

/// States that real guests leave behind, with the events that made them.
record States(MachineConfig config, List<Envelope> events, MachineState end) {

    private static final long SEED = 5;

    /// What a built-in guest makes of a machine under kvm-6.12.
    static States of(String guestName, String cpu) {
        GuestFile file = GuestFile.find(guestName, _ -> Optional.empty());
        Platform platform = new Platforms(_ -> Optional.empty()).resolve(cpu);
        Policy policy = new Policies(_ -> Optional.empty()).resolve("kvm-6.12");
        var guest = file.guest(platform.vendor(), Optional.empty());
        Machines machines =
                new Machines(platform, OfferedModel.of(platform, policy), policy, guest.vcpus());
        List<Envelope> events = new ArrayList<>();
        Execution execution = machines.execution(new ModelWorld(SEED, guest.vcpus()), events::add);
        execution.start();
        execution.run(guest.start(SEED));
        return new States(machines.config(), events, execution.machine());
    }

    private static byte[] some;

    /// The encoding of one.
    static synchronized byte[] some() {
        if (some == null) {
            some = StateCodec.encode(of("nested-spec-ctrl", "Icelake-Server").end());
        }
        return some;
    }
}
