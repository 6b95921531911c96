package trapline.engine.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import trapline.engine.event.InputEvent;
import trapline.engine.state.Vendor;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Yaml;

/// A scenario file: what it says of the machine, and its program before a vendor is chosen.
///
/// @param cpu the host platform it asks for
/// @param guestCpu QEMU's properties over the offered vCPU model
/// @param policy the policy it asks for
/// @param vmm the userspace around it
/// @param vm what userspace asks of the VM before it has vCPUs
public record Scenario(
        String name,
        String summary,
        Optional<Node> cpu,
        Optional<Mapping> guestCpu,
        Optional<Node> policy,
        List<InputEvent> vm,
        int vcpus,
        List<Node> programs,
        Vmm vmm) {

    private static final int MOST_VCPUS = 1024;

    /// Reads a scenario; `file` names it in errors.
    public static Scenario parse(String text, String file) {
        Node root = Yaml.parse(text, file);
        if (!(root instanceof Mapping)) {
            throw root.expected(
                    "a scenario (a mapping with 'scenario' and 'program') or an MSR log");
        }
        root.allow(
                "a scenario",
                List.of(
                        "scenario",
                        "summary",
                        "cpu",
                        "guest-cpu",
                        "policy",
                        "vm",
                        "vcpus",
                        "program",
                        "vcpu",
                        "vmm"));
        String name = root.require("scenario").text();
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,79}")) {
            throw root.require("scenario")
                    .error(Kind.SYNTAX, "a name has letters, digits, dots and dashes, up to 80");
        }
        Optional<Node> guestCpu = root.find("guest-cpu");
        if (guestCpu.isPresent() && !(guestCpu.get() instanceof Mapping)) {
            throw guestCpu.get().expected("a mapping of properties");
        }
        List<Node> programs = programs(root);
        Scenario scenario =
                new Scenario(
                        name,
                        root.find("summary").map(Node::text).orElse(""),
                        root.find("cpu"),
                        guestCpu.map(Mapping.class::cast),
                        root.find("policy"),
                        root.find("vm").map(Scenario::vm).orElse(List.of()),
                        programs.size(),
                        programs,
                        Vmm.of(root.find("vmm")));
        programs.stream().distinct().forEach(ScenarioCompiler::check);
        return scenario;
    }

    private static List<InputEvent> vm(Node node) {
        node.allow("vm", List.of("force-spec-ctrl"));
        return node.find("force-spec-ctrl")
                .<List<InputEvent>>map(force -> List.of(ScenarioCompiler.force(true, force)))
                .orElse(List.of());
    }

    /// One program for each vCPU: the same for all, or each its own.
    private static List<Node> programs(Node root) {
        Optional<Node> each = root.find("vcpu");
        Optional<Node> common = root.find("program");
        if (each.isPresent() == common.isPresent()) {
            throw root.error(Kind.SYNTAX, "expected either 'program' or 'vcpu'");
        }
        int vcpus =
                (int) root.find("vcpus").map(n -> n.number(1, MOST_VCPUS)).orElse(0L).longValue();
        if (common.isPresent()) {
            Node program = common.get();
            return IntStream.range(0, Math.max(1, vcpus)).mapToObj(_ -> program).toList();
        }
        TreeMap<Integer, Node> byVcpu = new TreeMap<>();
        each.get()
                .entries()
                .forEach((key, entry) -> {
                    Node vcpu = new Node.Scalar(entry.keyPlace(), key, true);
                    if (byVcpu.put((int) vcpu.number(0, MOST_VCPUS - 1L), entry.value()) != null) {
                        throw vcpu.error(Kind.SYNTAX, "vCPU %s stands twice", key);
                    }
                });
        int count = byVcpu.isEmpty() ? 0 : byVcpu.lastKey() + 1;
        if (byVcpu.size() != count || count == 0 || (vcpus != 0 && vcpus != count)) {
            throw each.get()
                    .error(
                            Kind.SYNTAX,
                            "expected a program for each vCPU from 0 to %d",
                            Math.max(1, Math.max(vcpus, count)) - 1);
        }
        return new ArrayList<>(byVcpu.values());
    }

    /// The guest that runs on a vendor's hardware, on another number of vCPUs if one is given.
    public Guest on(Vendor vendor, Optional<Integer> count) {
        if (count.isPresent() && (count.get() < 1 || count.get() > MOST_VCPUS)) {
            throw new InputException(
                    Kind.NOT_APPLICABLE,
                    "",
                    "expected 1 to %d vCPUs, found %d".formatted(MOST_VCPUS, count.get()));
        }
        if (count.orElse(vcpus) != vcpus && programs.stream().distinct().count() > 1) {
            throw programs.getFirst()
                    .error(
                            Kind.NOT_APPLICABLE,
                            "each vCPU has a program of its own, so there are %d",
                            vcpus);
        }
        List<List<Instruction>> code = new ArrayList<>();
        int wanted = count.orElse(vcpus);
        for (int vcpu = 0; vcpu < wanted; vcpu++) {
            Node program = programs.get(Math.min(vcpu, vcpus - 1));
            boolean again = vcpu > 0 && program.equals(programs.getFirst());
            code.add(again ? code.getFirst() : new ScenarioCompiler(vendor).compile(program));
        }
        return new CompiledScenario(name, code, vmm);
    }

    private record CompiledScenario(String name, List<List<Instruction>> code, Vmm vmm)
            implements Guest {

        @Override
        public int vcpus() {
            return code.size();
        }

        @Override
        public GuestRun start(long seed) {
            List<Program> programs = new ArrayList<>();
            for (int vcpu = 0; vcpu < code.size(); vcpu++) {
                programs.add(
                        new ScenarioProgram(code.get(vcpu), SplitMix64.of(seed, vcpu, PROGRAM)));
            }
            return new RoundRobin(programs);
        }

        private static final long PROGRAM = 3;
    }
}
