package trapline.engine.state;

import java.util.SortedMap;

/// What state has to know of a machine that no event says: it never changes while a session lasts.
///
/// @param vSpecCtrl whether the processor switches SPEC_CTRL by itself (AMD V_SPEC_CTRL)
/// @param hostMsrs the MSR values of a pCPU while only the host runs
public record MachineConfig(
        Vendor vendor,
        int vcpus,
        int pcpus,
        boolean vSpecCtrl,
        SortedMap<Integer, Long> hostMsrs) {}
