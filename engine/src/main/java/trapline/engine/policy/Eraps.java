package trapline.engine.policy;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.text.Node;

/// Key `eraps`: what KVM makes of a return-address predictor that tags guests' entries (FACTS 3.3 and 3.4).
///
/// @param offer when userspace is told that the guest may have ERAPS
/// @param larger when the guest has the whole predictor, not 32 entries
/// @param larger02 whether L2 has it, too, if L1 says so in vmcb12
/// @param flush what makes KVM set CLEAR_RAP
/// @param drop what makes it take a pending CLEAR_RAP back
/// @param reset whether it takes CLEAR_RAP out of the VMCB after VMRUN
public record Eraps(
        Offer offer,
        Larger larger,
        boolean larger02,
        SortedSet<Flush> flush,
        SortedSet<Drop> drop,
        boolean reset) {

    private static final Eraps UNKNOWN =
            new Eraps(
                    Offer.NEVER,
                    Larger.NEVER,
                    false,
                    Collections.emptySortedSet(),
                    Collections.emptySortedSet(),
                    false);

    public enum Offer {
        NEVER,
        WITH_NPT,
        ALWAYS
    }

    public enum Larger {
        NEVER,
        /// Whatever the guest's CPUID says.
        HOST_WITH_NPT,
        GUEST
    }

    public enum Flush {
        /// Any exit while L2 runs, whoever handles it: vmcb01's flag, where it has the larger size.
        L2_EXIT,
        /// The same, for exits that L1 gets.
        L2_EXIT_TO_L1,
        NESTED_ENTRY,
        NESTED_EXIT,
        /// MOV to CR3 that the hypervisor carries out.
        CR3_WRITE,
        /// Single-context INVPCID that the hypervisor carries out.
        INVPCID,
        GUEST_TLB_FLUSH
    }

    public enum Drop {
        /// The vCPU gets a new ASID, since it was loaded elsewhere.
        NEW_ASID,
        /// Another task ran on the pCPU, and the vCPU is back on it.
        TASK_SWITCH
    }

    static Eraps read(Optional<Node> key) {
        if (key.isEmpty()) {
            return UNKNOWN;
        }
        Node node = key.get();
        node.allow(
                "eraps",
                List.of(
                        "offer",
                        "larger-rap",
                        "l2-larger-rap",
                        "flush",
                        "drop",
                        "reset-after-run"));
        return new Eraps(
                one(Offer.class, node.require("offer"), "condition of the offer"),
                one(Larger.class, node.require("larger-rap"), "condition of the larger size"),
                node.require("l2-larger-rap").bool(),
                all(Flush.class, node.require("flush"), "cause of a flush"),
                all(Drop.class, node.require("drop"), "cause to drop a flush"),
                node.require("reset-after-run").bool());
    }

    private static <E extends Enum<E>> E one(Class<E> type, Node node, String what) {
        TreeMap<String, E> known = new TreeMap<>();
        for (E constant : type.getEnumConstants()) {
            known.put(constant.name().toLowerCase(Locale.ROOT).replace('_', '-'), constant);
        }
        return known.get(node.oneOf(known.keySet(), what));
    }

    private static <E extends Enum<E>> SortedSet<E> all(Class<E> type, Node list, String what) {
        Set<E> all = new TreeSet<>();
        list.items().forEach(item -> all.add(one(type, item, what)));
        return Collections.unmodifiableSortedSet(new TreeSet<>(all));
    }
}
