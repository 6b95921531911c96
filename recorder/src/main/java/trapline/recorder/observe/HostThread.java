package trapline.recorder.observe;

import java.util.regex.Pattern;

/// A thread of the traced host.
final class HostThread {

    private static final Pattern DIGITS = Pattern.compile("\\d+");

    final int id;
    int process;
    String name;

    /// The vCPU it runs, or -1.
    int vcpu = -1;

    /// The first that it ran, or -1: what it did before it told.
    int firstVcpu = -1;

    /// Whether the trace does not say so: its number is by the order of thread ids.
    boolean numbered;

    /// Its VM, or -1.
    int vm = -1;

    /// Whether it is a vCPU's of that VM; else it only works for it.
    boolean joined;

    /// Whether the VM's events say its name.
    boolean introduced;

    /// Whether it did what only a thread that runs a vCPU does.
    boolean runsVcpu;

    HostThread(int id, int process, String name) {
        this.id = id;
        this.process = process;
        this.name = name;
    }

    /// Whether the kernel made it: such a thread is a process of its own, for whomever it works.
    boolean isKernels() {
        return process == id;
    }

    /// Its name but for numbers: threads of one kind of VMM have that in common.
    String stem() {
        return DIGITS.matcher(name).replaceAll("#");
    }
}
