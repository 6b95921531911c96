package trapline.recorder.observe;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.recorder.observe.Observer.VmSeen;

/// Which of a trace's VMs somebody asks for.
///
/// @param vm its number, from 1, in the order of thread ids
/// @param pid its process, or the id of one of its vCPUs' threads
public record VmChoice(Optional<Integer> vm, Optional<Integer> pid) {

    public static final VmChoice ALL = new VmChoice(Optional.empty(), Optional.empty());

    boolean wants(int number, VmSeen seen) {
        boolean byNumber = vm.isEmpty() || vm.get() == number + 1;
        boolean byPid =
                pid.isEmpty() || seen.process() == pid.get() || seen.threads().contains(pid.get());
        return byNumber && byPid;
    }

    InputException noSuchVm(String file, List<VmSeen> seen) {
        for (int i = 0; i < seen.size(); i++) {
            if (wants(i, seen.get(i))) {
                return new InputException(
                        Kind.NOT_APPLICABLE,
                        file,
                        "thread %d shows itself only after its VM's session had to begin; expected --vm %d"
                                .formatted(pid.orElse(0), i + 1));
            }
        }
        String wish =
                vm.map(n -> "VM " + n).orElseGet(() -> "VM of process or thread " + pid.orElse(0));
        return new InputException(
                Kind.UNKNOWN_NAME,
                file,
                "no %s in the trace; it has %s"
                        .formatted(
                                wish,
                                IntStream.range(0, seen.size())
                                        .mapToObj(i -> describe(i, seen.get(i)))
                                        .collect(Collectors.joining("; "))));
    }

    /// A VM as its user can name it.
    public static String describe(int number, VmSeen seen) {
        String threads =
                seen.threads().stream().map(Object::toString).collect(Collectors.joining(", "));
        return "VM %d: %svCPU thread%s %s"
                .formatted(
                        number + 1,
                        seen.process() == 0 ? "" : "process " + seen.process() + ", ",
                        seen.threads().size() == 1 ? "" : "s",
                        threads.isEmpty() ? "unknown" : threads);
    }
}
