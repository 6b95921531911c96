package trapline.engine.guest;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.state.VcpuState;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;

/// The guest's userspace, as far as KVM asks it: what it does about MSR accesses that are returned to it.
///
/// A pure function of the scenario and of the vCPU's state, which holds what userspace keeps of earlier writes.
public final class Vmm {

    /// Where a scenario says nothing: every MSR is emulated, beginning with 0.
    public static final Vmm PLAIN = new Vmm(new TreeMap<>(), Msr.EMULATED);

    private final SortedMap<Integer, Msr> msrs;
    private final Msr others;

    private Vmm(SortedMap<Integer, Msr> msrs, Msr others) {
        this.msrs = Collections.unmodifiableSortedMap(msrs);
        this.others = others;
    }

    private enum Writes {
        KEEP,
        DROP,
        ERROR
    }

    /// How one MSR is emulated.
    ///
    /// @param value what is read until something was written
    /// @param readable whether reads give a value, not #GP
    private record Msr(long value, boolean readable, Writes writes) {
        static final Msr EMULATED = new Msr(0, true, Writes.KEEP);
        static final Msr REFUSED = new Msr(0, false, Writes.ERROR);
    }

    /// `vmm: {msrs: {MSR: …}, default: emulate}`.
    static Vmm of(Optional<Node> node) {
        if (node.isEmpty()) {
            return PLAIN;
        }
        Node vmm = node.get();
        vmm.allow("vmm", List.of("msrs", "default"));
        SortedMap<Integer, Msr> msrs = new TreeMap<>();
        if (vmm.find("msrs").isPresent()) {
            for (Map.Entry<String, Entry> each : vmm.require("msrs").entries().entrySet()) {
                Entry entry = each.getValue();
                Node name = new Node.Scalar(entry.keyPlace(), each.getKey(), true);
                msrs.put(ScenarioCompiler.msr(name), msr(entry.value()));
            }
        }
        return new Vmm(msrs, vmm.find("default").map(Vmm::msr).orElse(Msr.EMULATED));
    }

    private static Msr msr(Node node) {
        if (node instanceof Node.Scalar) {
            return node.oneOf(List.of("emulate", "error"), "answer of the VMM").equals("emulate")
                    ? Msr.EMULATED
                    : Msr.REFUSED;
        }
        node.allow("an MSR of the VMM", List.of("value", "reads", "writes"));
        String reads =
                node.find("reads")
                        .map(n -> n.oneOf(List.of("value", "error"), "answer to reads"))
                        .orElse("value");
        String writes =
                node.find("writes")
                        .map(n -> n.oneOf(List.of("keep", "drop", "error"), "answer to writes"))
                        .orElse("keep");
        return new Msr(
                node.find("value").map(Node::number).orElse(0L),
                reads.equals("value"),
                switch (writes) {
                    case "keep" -> Writes.KEEP;
                    case "drop" -> Writes.DROP;
                    default -> Writes.ERROR;
                });
    }

    /// What it does when KVM_RUN returns to it: requests of its own to KVM, if any, and last the reply.
    public List<InputEvent> answer(UserspaceMsrAsked asked, VcpuState vcpu) {
        return List.of(reply(asked, vcpu));
    }

    private UserspaceReplied reply(UserspaceMsrAsked asked, VcpuState vcpu) {
        Msr msr = msrs.getOrDefault(asked.msr(), others);
        boolean error = asked.write() ? msr.writes() == Writes.ERROR : !msr.readable();
        long held = vcpu.userspaceMsr(asked.msr()).orElse(msr.value());
        boolean keeps = asked.write() && msr.writes() == Writes.KEEP;
        long value = error ? 0 : keeps ? asked.value() : held;
        return new UserspaceReplied(asked.msr(), asked.write(), value, error);
    }
}
