package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.Reg;

/// What one op must do: a row of the table of ops.
///
/// @param trees the range of trees for which the row holds
/// @param before ops that come first, in YAML; may be empty
/// @param op the op, in YAML
/// @param exits the reasons or codes of its exits, in order
/// @param userspace the KVM_EXIT reason with which it returns to userspace, or -1
/// @param length by how much RIP moves: the instruction's length, or 0 for a fault
/// @param outcome how it ends
public record OneOp(
        String trees,
        String before,
        String op,
        String exits,
        int userspace,
        int length,
        String outcome) {

    /// Checks the row on a platform, under each of its trees.
    public void check(String cpu, String guestCpu) {
        for (String policy : Trees.of(trees)) {
            VcpuScenario scenario = VcpuScenario.on(cpu).under(policy).guestCpu(guestCpu);
            String first = before == null ? "" : before + "\n";
            Recording recording = scenario.run("- run: 10\n" + first + op + "\n");
            check(recording, "%s on %s with %s under %s".formatted(op, cpu, guestCpu, policy));
        }
    }

    private void check(Recording recording, String what) {
        List<Event> events = recording.ofLastOp();
        List<Long> reasons = new ArrayList<>();
        List<Integer> userspaceReasons = new ArrayList<>();
        List<String> putsAndLoads = new ArrayList<>();
        int entries = 0;
        GuestEvent end = null;
        for (Event event : events) {
            switch (event) {
                case VmExited e -> reasons.add(e.reason());
                case UserspaceExited e -> userspaceReasons.add(e.reason());
                case VcpuPut _ -> putsAndLoads.add("put");
                case VcpuLoaded _ -> putsAndLoads.add("load");
                case VmEntered _ -> entries++;
                case GuestEvent e -> end = e;
                default -> {}
            }
        }
        assertEquals(numbers(exits), reasons, what);
        assertEquals(reasons.size(), entries, "entries: " + what);
        assertEquals(userspace < 0 ? List.of() : List.of(userspace), userspaceReasons, what);
        assertEquals(userspace < 0 ? List.of() : List.of("put", "load"), putsAndLoads, what);
        assertEquals(outcome, end.outcome().name(), what);
        assertEquals(end.rip() + length, recording.vcpu().register(Reg.RIP), "RIP: " + what);
    }

    private static List<Long> numbers(String list) {
        return list == null ? List.of() : Arrays.stream(list.split(" ")).map(Long::decode).toList();
    }
}
