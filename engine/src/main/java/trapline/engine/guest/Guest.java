package trapline.engine.guest;

/// What runs on the vCPUs, and in which order they are stepped.
public interface Guest {

    String name();

    int vcpus();

    /// A fresh run from the beginning; equal seeds give equal runs.
    GuestRun start(long seed);
}
