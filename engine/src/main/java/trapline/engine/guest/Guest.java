package trapline.engine.guest;

/// What runs on the vCPUs, and in which order they are stepped.
public interface Guest {

    String name();

    int vcpus();

    /// The userspace around it.
    default Vmm vmm() {
        return Vmm.PLAIN;
    }

    /// A fresh run from the beginning; equal seeds give equal runs.
    GuestRun start(long seed);
}
