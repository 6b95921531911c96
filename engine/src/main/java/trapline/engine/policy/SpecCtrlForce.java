package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;

/// `spec-ctrl-force`: how bits of SPEC_CTRL are kept from the guest, if userspace may ask for it (FACTS 2.3).
public record SpecCtrlForce(By by, Set set) {

    public static final SpecCtrlForce NONE = new SpecCtrlForce(By.NONE, Set.OR);

    public enum By {
        /// Userspace cannot ask.
        NONE,
        /// The processor's control "virtualize IA32_SPEC_CTRL": the guest's writes need no exit.
        SHADOW,
        /// While any bit is forced, every access exits.
        INTERCEPT
    }

    /// What a write that exits makes of the value.
    public enum Set {
        /// Forced bits are set; those forced off stay as written.
        OR,
        /// All forced bits are what they are forced to.
        MERGE
    }

    static SpecCtrlForce read(Optional<Node> key) {
        if (key.isEmpty()) {
            return NONE;
        }
        Node node = key.get();
        node.allow("spec-ctrl-force", List.of("by", "set"));
        String by =
                node.require("by").oneOf(List.of("none", "shadow", "intercept"), "way of forcing");
        String set =
                node.find("set").map(n -> n.oneOf(List.of("or", "merge"), "rule")).orElse("or");
        return new SpecCtrlForce(
                switch (by) {
                    case "none" -> By.NONE;
                    case "shadow" -> By.SHADOW;
                    default -> By.INTERCEPT;
                },
                set.equals("or") ? Set.OR : Set.MERGE);
    }

    /// What a guest runs with that wrote `written`.
    public long effective(long written, long mask, long value) {
        return set == Set.OR ? written | value : (written & ~mask) | value;
    }
}
