package trapline.recorder.observe;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Which threads are the vCPUs of which VM, as far as a trace tells.
///
/// Threads of one process are one VM. Where no process is known, a VMM makes the threads of its vCPUs one
/// after another: in the order of their ids, a vCPU that the VM has already begins the next VM.
final class VmThreads {

    /// Threads whose ids are further apart than this are not of one VM, if nothing else tells.
    private static final int FAR = 256;

    private final List<Vm> vms = new ArrayList<>();

    /// One VM: its vCPUs' threads.
    static final class Vm {
        final List<HostThread> threads = new ArrayList<>();
        int vcpus = 1;

        boolean has(int vcpu) {
            return threads.stream().anyMatch(thread -> thread.vcpu == vcpu);
        }

        boolean isOf(HostThread thread) {
            return thread.process != 0
                    && threads.stream().anyMatch(t -> t.process == thread.process);
        }

        /// Whether both processes are known, and are two.
        boolean isNotOf(HostThread thread) {
            boolean known = threads.stream().anyMatch(t -> t.process != 0);
            return thread.process != 0 && known && !thread.isKernels() && !isOf(thread);
        }

        private int distance(HostThread thread) {
            return threads.stream()
                    .mapToInt(t -> Math.abs(t.id - thread.id))
                    .min()
                    .orElse(Integer.MAX_VALUE);
        }

        private boolean mayHave(HostThread thread) {
            HostThread first = threads.getFirst();
            boolean tellsProcess = thread.process != 0 && first.process != 0;
            return tellsProcess
                    ? isOf(thread)
                    : first.stem().equals(thread.stem())
                            && distance(thread) <= FAR
                            && !has(thread.vcpu);
        }
    }

    List<Vm> vms() {
        return vms;
    }

    /// Gives threads their VMs once enough of the trace has been seen. Where no thread has told which vCPU it
    /// runs, they get numbers; so does one that can be of no VM that is known.
    void settle(Collection<HostThread> threads) {
        List<HostThread> byId =
                threads.stream()
                        .filter(thread -> thread.vcpu >= 0 || thread.runsVcpu)
                        .sorted(Comparator.comparingInt(thread -> thread.id))
                        .toList();
        boolean told = byId.stream().anyMatch(thread -> thread.vcpu >= 0);
        for (HostThread thread : byId) {
            if (thread.vcpu >= 0 || !told) {
                join(thread);
            }
        }
        threads.stream().filter(thread -> thread.vm < 0).forEach(this::adopt);
        byId.stream().filter(thread -> thread.vm < 0).forEach(this::join);
    }

    /// A vCPU's thread joins the VM that it may be of, or is the first of another.
    void join(HostThread thread) {
        Optional<Vm> found =
                vms.stream()
                        .filter(vm -> vm.mayHave(thread))
                        .min(Comparator.comparingInt(vm -> vm.distance(thread)));
        Vm vm =
                found.orElseGet(() -> {
                    Vm begun = new Vm();
                    vms.add(begun);
                    return begun;
                });
        if (thread.vcpu < 0) {
            thread.vcpu = vm.threads.size();
            thread.firstVcpu = thread.vcpu;
            thread.numbered = true;
        }
        vm.threads.add(thread);
        vm.vcpus = Math.max(vm.vcpus, thread.vcpu + 1);
        int number = vms.indexOf(vm);
        thread.introduced &= thread.vm == number;
        thread.vm = number;
        thread.joined = true;
    }

    /// A thread of which no vCPU is known belongs to the only VM, to its process's, or to its neighbours'.
    void adopt(HostThread thread) {
        if (vms.size() == 1 && !vms.getFirst().isNotOf(thread)) {
            thread.vm = 0;
            return;
        }
        for (int i = 0; i < vms.size() && thread.vm < 0; i++) {
            Vm vm = vms.get(i);
            boolean near = thread.runsVcpu && vm.mayHave(thread);
            if (vm.isOf(thread) || servant(thread, vm) || near) {
                thread.vm = i;
            }
        }
    }

    /// Kernel threads name the process that they work for: `vhost-4711`, `kvm-pit/4711`.
    private static boolean servant(HostThread thread, Vm vm) {
        int owner = owner(thread.name);
        return owner > 0 && vm.threads.stream().anyMatch(t -> t.process == owner || t.id == owner);
    }

    private static int owner(String name) {
        int cut = Math.max(name.lastIndexOf('-'), name.lastIndexOf('/'));
        boolean known = name.startsWith("vhost-") || name.startsWith("kvm-");
        try {
            return known ? Integer.parseInt(name.substring(cut + 1)) : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
