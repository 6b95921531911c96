package trapline.engine.cpu;

import java.util.Collection;
import java.util.SortedMap;
import java.util.SortedSet;
import trapline.engine.state.Vendor;

/// The simulated physical CPU: silicon under the name that QEMU gives its model.
///
/// @param features CPUID bits and other capabilities by name, see the table of features
/// @param archCapabilities IA32_ARCH_CAPABILITIES as the silicon has it
/// @param controls VMX controls beyond those every VMX processor has
/// @param synthetic overrides that no silicon has
/// @param quirks what no source settles, or sources tell differently
public record Platform(
        String name,
        Vendor vendor,
        SortedSet<String> features,
        long archCapabilities,
        SortedSet<String> controls,
        Host host,
        ReturnPredictor predictor,
        SortedMap<String, String> synthetic,
        Quirks quirks,
        Description description,
        ExtendedStates extendedStates) {

    /// How silicon does what the manuals leave open (FACTS 2.1).
    ///
    /// @param checksMergedSpecCtrl whether a virtualized WRMSR of SPEC_CTRL faults for reserved bits of what
    ///     the hardware would hold then, not of what the guest writes
    /// @param storesSpecCtrlShadow whether such a write reaches the shadow that RDMSR finds
    public record Quirks(boolean checksMergedSpecCtrl, boolean storesSpecCtrlShadow) {

        public static final Quirks NONE = new Quirks(true, true);
    }

    /// How the host's own kernel uses the processor.
    ///
    /// @param specCtrl its own SPEC_CTRL, before what a tree adds
    /// @param kernelIbrs whether it always writes SPEC_CTRL after an exit (KERNEL_IBRS)
    /// @param pcpus how many physical CPUs the machine has
    /// @param trace what it does with Processor Trace
    /// @param ssbd whether it has SSBD set by other means than SPEC_CTRL (`spec_store_bypass_disable=on`)
    public record Host(long specCtrl, boolean kernelIbrs, int pcpus, Trace trace, boolean ssbd) {

        /// The host's own use of Processor Trace.
        public enum Trace {
            OFF,
            /// Its MSRs are set, but TraceEn is not while KVM runs: some other task is traced.
            ON,
            /// It traces the pCPU, KVM included.
            TRACING
        }
    }

    /// What XSAVE can manage, and what of it the host's kernel uses.
    ///
    /// @param known whether the platform says so; a silent one enables x87 alone, as a processor does after reset
    /// @param xcr0 what XCR0 takes, all of which the host enables
    /// @param supervisor the components that IA32_XSS takes
    /// @param hostSCet the host's own S_CET
    public record ExtendedStates(boolean known, long xcr0, long supervisor, long hostSCet) {}

    /// @param costs name of the default cost profile
    /// @param signature CPUID leaf 1 EAX
    /// @param trace what Processor Trace can do
    /// @param text the resolved file, for the session's header
    public record Description(
            String summary, String costs, int signature, ProcessorTrace trace, String text) {}

    /// What Processor Trace can do: nothing, without the feature.
    public ProcessorTrace trace() {
        return has("INTEL_PT") ? description.trace() : ProcessorTrace.NONE;
    }

    public boolean has(String feature) {
        return features.contains(feature);
    }

    public boolean hasAll(Collection<String> wanted) {
        return features.containsAll(wanted);
    }

    /// Whether the platform has enhanced IBRS, Intel's or AMD's.
    public boolean eibrs() {
        return (archCapabilities & ARCH_CAP_IBRS_ALL) != 0 || has("AUTOIBRS");
    }

    private static final long ARCH_CAP_IBRS_ALL = 2;
}
