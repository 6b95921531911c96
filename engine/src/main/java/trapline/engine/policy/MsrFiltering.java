package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;

/// What the hypervisor offers userspace for deciding on MSR accesses itself: filter and exits (FACTS 2.6).
///
/// @param available whether there are KVM_X86_SET_MSR_FILTER and KVM_CAP_X86_USER_SPACE_MSR
/// @param mergesAtOnce whether a filter set while L2 runs reaches L2's bitmap before L2 goes on, not at the next
///     nested entry
public record MsrFiltering(boolean available, boolean mergesAtOnce) {

    static final String KEY = "msr-filter";

    static MsrFiltering read(Optional<Node> node) {
        if (node.isEmpty()) {
            return new MsrFiltering(false, false);
        }
        node.get().allow(KEY, List.of("available", "merge"));
        String merge =
                node.get()
                        .find("merge")
                        .map(n ->
                                n.oneOf(
                                        List.of("at-nested-entry", "at-once"),
                                        "time of the bitmaps' merge"))
                        .orElse("at-nested-entry");
        return new MsrFiltering(node.get().require("available").bool(), merge.equals("at-once"));
    }
}
