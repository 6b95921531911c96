package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;

/// One resolved policy: everything in which the hypervisors that we model differ.
///
/// A policy is data; a published one never changes, a change is a new one.
public record Policy(
        Identity identity,
        SpecCtrl specCtrl,
        Commands commands,
        Ibpb ibpb,
        boolean bhiMitigation,
        Vendors vendors,
        Merge merge,
        Mechanisms mechanisms) {

    /// @param expression the policy as its user wrote it
    /// @param chosen the variants that were chosen by name, here or in what it builds on
    /// @param text the resolved policy in full, from which it can be read again
    public record Identity(String expression, String summary, List<Choice> chosen, String text) {}

    /// A mechanism's variant, chosen by name.
    public record Choice(String mechanism, String variant) {
        @Override
        public String toString() {
            return mechanism + "=" + variant;
        }
    }

    /// How SPEC_CTRL is intercepted and switched.
    ///
    /// @param passedThroughFromStart whether interception is off when the vCPU is made
    /// @param lift when a write that exits ends interception
    /// @param watch what it counts to decide on
    /// @param recalculate what passes it through where interception is computed anew, at changes of the MSR filter
    ///     (6.18 and later); empty where that never happens
    /// @param virtual what the hypervisor makes of AMD's V_SPEC_CTRL
    /// @param entryBits how many bits it compares and writes before entry
    /// @param kernelIbrs whether a host that uses IBRS itself gets its value back after every exit
    public record SpecCtrl(
            boolean passedThroughFromStart,
            Condition lift,
            Watch watch,
            Optional<Condition> recalculate,
            VirtualSpecCtrl virtual,
            int entryBits,
            boolean kernelIbrs) {

        /// Compiles and type-checks its conditions now.
        public void check() {
            lift.check();
            watch.count().check();
            watch.resume().check();
            recalculate.ifPresent(Condition::check);
        }
    }

    /// How often the guest writes, as far as a policy wants to know.
    ///
    /// @param count which writes are counted
    /// @param quickWindow a write is quick if fewer exits are between it and the one counted before
    /// @param resume after which exits interception is resumed
    public record Watch(Condition count, long quickWindow, Condition resume) {}

    public enum VirtualSpecCtrl {
        /// The tree does not know it and switches the MSR itself.
        UNKNOWN,
        PASS_THROUGH,
        PASS_THROUGH_IF_GUEST_HAS
    }

    /// PRED_CMD and FLUSH_CMD.
    ///
    /// @param predCmdAtCpuid whether PRED_CMD is passed through when CPUID is set, not at the first write
    /// @param sbpb whether SBPB is known
    /// @param gateSbpb whether SBPB alone lets a guest have PRED_CMD
    public record Commands(
            boolean predCmdAtCpuid, boolean sbpb, boolean gateSbpb, boolean flushCmd) {}

    /// When predictions of one guest are kept from another.
    public record Ibpb(Switch vcpuSwitch, NestedExit nestedExit) {

        public enum Switch {
            /// Vendor code: when another VMCS or VMCB than the last one is loaded.
            VENDOR,
            /// Common code: when another vCPU than the last one is loaded.
            COMMON
        }

        public enum NestedExit {
            NONE,
            VMX_IF_GUEST_HAS_SPEC_CTRL,
            IF_GUEST_HAS_IBRS
        }
    }

    /// An MSR and the kinds of access meant.
    public record Access(int msr, boolean read, boolean write) {}

    /// What each vendor's code does.
    public record Vendors(Vmx vmx, Svm svm) {}

    public record Vmx(List<Access> passThrough, VmxControls controls, Phases phases) {}

    public record Svm(List<Access> passThrough, SvmControls controls, Phases phases) {}

    /// VMX controls by name, the optional ones where the processor has them.
    ///
    /// @param always by group: pin, primary, secondary, tertiary, entry, exit
    /// @param ifGuest secondary controls that are set if the guest has all of some features
    /// @param unlessGuest secondary controls that are set unless the guest has a feature
    /// @param exceptions vectors that exit
    /// @param cr4OwnedIfReserved whether bits of CR4 that the guest's CPUID reserves are the host's after all
    public record VmxControls(
            SortedMap<String, List<String>> always,
            SortedMap<String, List<String>> ifGuest,
            SortedMap<String, List<String>> unlessGuest,
            List<Integer> exceptions,
            long cr0GuestOwned,
            long cr4GuestOwned,
            boolean cr4OwnedIfReserved) {}

    /// SVM intercepts by name.
    ///
    /// @param unlessGuestSvme set while the guest's EFER.SVME is off, whatever the platform has
    /// @param virtualNmi whether NMIs are left to a processor that can virtualize them
    /// @param clean the clean bits that are set after each exit
    public record SvmControls(
            List<String> always,
            SortedMap<String, List<String>> ifPlatform,
            SortedMap<String, List<String>> unlessPlatform,
            SortedMap<String, List<String>> unlessGuest,
            SortedSet<String> unlessGuestSvme,
            List<Integer> exceptions,
            boolean virtualNmi,
            long clean) {}

    /// The steps of each phase, in order.
    public record Phases(
            List<Step> load,
            List<Step> prepare,
            List<Step> beforeEntry,
            List<Step> afterExit,
            List<Step> put,
            List<Step> returnToUser) {}

    /// How MSR bitmaps of 01 and 12 become that of 02.
    public record Merge(VmxMerge vmx, SvmMerge svm) {}

    /// @param clearOnly the rule of 5.4: bits are only ever cleared
    public record VmxMerge(boolean clearOnly, List<MergeEntry> entries) {}

    /// @param ifPassed merged only while 01 passes writes of the MSR
    public record MergeEntry(Access access, boolean ifPassed) {}

    /// @param wordBits how much of the map is merged at once
    /// @param onlyFrom12 intercepts of 01 that 02 has only if 12 has them
    /// @param virtualVmload whether L2 may have virtual VMLOAD and VMSAVE
    /// @param transitionFlush whether each change between L1 and L2 flushes the TLB of whoever runs next
    public record SvmMerge(
            int wordBits,
            List<Integer> msrs,
            List<String> onlyFrom12,
            boolean virtualVmload,
            boolean transitionFlush) {}
}
