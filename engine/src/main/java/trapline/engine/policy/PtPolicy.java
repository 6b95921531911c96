package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;

/// What the hypervisor does with Intel Processor Trace: the key `pt` (FACTS 4.4).
///
/// @param mode `pt_mode`, as far as the processor allows it
/// @param passThrough when the guest has the PT MSRs but RTIT_CTL to itself
/// @param switched when those MSRs are switched at entry and exit
/// @param hostStop when the host's RTIT_CTL is cleared before entry
/// @param restoreControl whether exit writes the host's RTIT_CTL even where it is 0
/// @param stopAlone whether a write that stops a trace may change nothing else
public record PtPolicy(
        Mode mode,
        When passThrough,
        When switched,
        HostStop hostStop,
        boolean restoreControl,
        boolean stopAlone) {

    /// Who traces what.
    public enum Mode {
        /// The policy does not say: the MSRs are values that KVM keeps, and nothing more.
        UNKNOWN,
        /// The host traces all, the guest has no PT.
        SYSTEM,
        /// Each traces itself.
        HOST_GUEST
    }

    /// While which something is done.
    public enum When {
        NEVER,
        /// While the guest's TraceEn is set.
        WHILE_TRACING,
        ALWAYS
    }

    /// When the host's trace is stopped for the guest.
    public enum HostStop {
        /// Only together with the switch of the other MSRs.
        WHEN_SWITCHING,
        /// Whenever it runs, too.
        WHEN_TRACING
    }

    private static final PtPolicy UNKNOWN =
            new PtPolicy(
                    Mode.UNKNOWN, When.NEVER, When.NEVER, HostStop.WHEN_SWITCHING, false, false);

    static PtPolicy read(Optional<Node> key) {
        return key.map(PtPolicy::read).orElse(UNKNOWN);
    }

    private static PtPolicy read(Node node) {
        node.allow(
                "pt",
                List.of(
                        "mode",
                        "pass-through",
                        "switch",
                        "stop-host",
                        "restore-control",
                        "stop-alone"));
        String mode = node.require("mode").oneOf(List.of("system", "host-guest"), "mode of PT");
        String stop =
                node.require("stop-host")
                        .oneOf(List.of("when-switching", "when-tracing"), "time to stop the host");
        return new PtPolicy(
                mode.equals("system") ? Mode.SYSTEM : Mode.HOST_GUEST,
                when(node.require("pass-through")),
                when(node.require("switch")),
                stop.equals("when-tracing") ? HostStop.WHEN_TRACING : HostStop.WHEN_SWITCHING,
                node.require("restore-control").bool(),
                node.require("stop-alone").bool());
    }

    private static When when(Node node) {
        return switch (node.oneOf(List.of("never", "while-tracing", "always"), "time")) {
            case "never" -> When.NEVER;
            case "while-tracing" -> When.WHILE_TRACING;
            default -> When.ALWAYS;
        };
    }
}
