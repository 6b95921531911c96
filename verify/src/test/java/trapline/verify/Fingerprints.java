package trapline.verify;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import trapline.engine.guest.GuestFile;
import trapline.engine.state.MachineState;
import trapline.recorder.Plan;
import trapline.schemas.EventEncoder;
import trapline.schemas.Framing;
import trapline.schemas.StateCodec;

/// What many guests come to, each in one line, so that two JVMs can be compared.
final class Fingerprints {

    private static final List<String> CPUS =
            List.of("Icelake-Server", "Skylake-Server", "EPYC-Milan", "EPYC-Genoa");

    private Fingerprints() {}

    public static void main(String[] args) {
        all().forEach((name, fingerprint) -> System.out.println(name + " = " + fingerprint));
    }

    /// Every guest built in and the one with every op, each under an old and a new base.
    static SortedMap<String, String> all() {
        SortedMap<String, String> all = new TreeMap<>();
        for (String cpu : CPUS) {
            for (String policy : List.of("kvm-5.4", "kvm-7.1")) {
                for (String guest : GuestFile.builtIn()) {
                    add(guest, cpu, policy, all);
                }
                add("every-op", cpu, policy, all);
            }
        }
        return all;
    }

    private static void add(
            String guest, String cpu, String policy, SortedMap<String, String> all) {
        all.put(
                "%s on %s under %s".formatted(guest, cpu, policy),
                of(Guests.plan(guest, cpu, policy)));
    }

    /// The checksum of all events' bytes, how many there are, and the final state's digest.
    static String of(Plan plan) {
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        CRC32C bytes = new CRC32C();
        MachineState machine =
                Guests.run(plan, (envelope, _) -> bytes.update(encoder.encode(envelope)));
        return "%08x of %d events, state %s"
                .formatted(bytes.getValue(), machine.order(), StateCodec.digest(machine));
    }
}
