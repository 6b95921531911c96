package trapline.engine.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.guest.NestedBlock.Intercepts;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Suggestion;

/// Turns a scenario's program into instructions; every op gets an address of its own.
final class ScenarioCompiler {

    private static final int MOST_INSTRUCTIONS = 100_000;
    private static final int DEEPEST = 32;

    /// Minutes on real hardware; a vCPU's time, the sum of its runs, has 63 bits.
    private static final long LONGEST_RUN = 1_000_000_000_000L;

    private static final long FIRST_RIP = 0xffff_ffff_8100_0000L;
    private static final long FIRST_RIP_L2 = 0xffff_ffff_8200_0000L;

    /// The ops that the grammar has, by name.
    static final Set<String> OPS =
            new TreeSet<>(
                    List.of(
                            "run",
                            "wrmsr",
                            "rdmsr",
                            "cpuid",
                            "hlt",
                            "in",
                            "out",
                            "mmio",
                            "vmcall",
                            "vmmcall",
                            "mov-cr",
                            "mov-dr",
                            "invlpg",
                            "invpcid",
                            "rdtsc",
                            "xsetbv",
                            "pause",
                            "call",
                            "ret",
                            "xsaves",
                            "xrstors",
                            "vmload",
                            "vmsave",
                            "interrupt",
                            "host-interrupt",
                            "host-write",
                            "preempt",
                            "force-spec-ctrl",
                            "nested",
                            "repeat",
                            "host-filter"));

    private final Vendor vendor;
    private final List<Layout> layouts;
    private final List<Instruction> code = new ArrayList<>();
    private boolean inL2;
    private int steps;

    ScenarioCompiler(Vendor vendor) {
        this(vendor, List.of(vendor.layout()));
    }

    private ScenarioCompiler(Vendor vendor, List<Layout> layouts) {
        this.vendor = vendor;
        this.layouts = layouts;
    }

    /// Whether a program is right for either vendor: fields of a nested block's structure have one vendor's names.
    static void check(Node program) {
        new ScenarioCompiler(Vendor.VMX, List.of(Layout.VMCS, Layout.VMCB)).compile(program);
    }

    List<Instruction> compile(Node program) {
        sequence(program, 0);
        return List.copyOf(code);
    }

    private void sequence(Node items, int depth) {
        if (depth > DEEPEST) {
            throw items.error(Kind.TOO_LARGE, "nested deeper than %d", DEEPEST);
        }
        for (Node item : items.items()) {
            item(item, depth);
            if (code.size() > MOST_INSTRUCTIONS) {
                throw item.error(Kind.TOO_LARGE, "more than %d ops", MOST_INSTRUCTIONS);
            }
        }
    }

    private void item(Node item, int depth) {
        boolean empty = item instanceof Scalar s && s.text().isEmpty();
        if (empty || item instanceof Node.Sequence) {
            throw item.expected("an op");
        }
        if (item instanceof Scalar scalar) {
            op(scalar.text(), item, new Scalar(item.place(), "", false));
            return;
        }
        if (item.find("repeat").isPresent()) {
            item.allow("repeat", List.of("repeat", "do"));
            repeat(item, depth);
            return;
        }
        Map<String, Entry> entries = item.entries();
        if (entries.size() != 1) {
            throw item.error(Kind.SYNTAX, "expected one op, found %d keys", entries.size());
        }
        Map.Entry<String, Entry> only = entries.entrySet().iterator().next();
        Node key = new Scalar(only.getValue().keyPlace(), only.getKey(), true);
        if (only.getKey().equals("nested")) {
            nested(only.getValue().value(), depth);
        } else {
            op(only.getKey(), key, only.getValue().value());
        }
    }

    private void repeat(Node item, int depth) {
        long rounds = item.require("repeat").number(0, Long.MAX_VALUE);
        int begin = code.size();
        int stepsBefore = steps;
        code.add(null);
        sequence(item.require("do"), depth + 1);
        if (rounds == 0) {
            steps = stepsBefore;
        }
        long useful = steps == stepsBefore ? 0 : rounds; // else the loop would turn in silence
        code.set(begin, new Instruction.LoopBegin(useful, code.size()));
        code.add(new Instruction.LoopEnd(begin));
    }

    private void nested(Node node, int depth) {
        if (inL2) {
            throw node.error(Kind.NOT_APPLICABLE, "L2 is no hypervisor: nested cannot nest");
        }
        node.allow("nested", List.of("intercept", "fields", "do"));
        NestedBlock block = new NestedBlock(vendor, intercepts(node), fields(node), rip());
        int begin = code.size();
        code.add(null);
        inL2 = true;
        sequence(node.require("do"), depth + 1);
        GuestOp call = new GuestOp.Hypercall(rip(), vendor == Vendor.SVM, 0);
        inL2 = false;
        code.set(begin, new Instruction.NestedBegin(block, code.size()));
        steps++;
        code.add(new Instruction.NestedEnd(call));
    }

    private static Intercepts intercepts(Node nested) {
        if (nested.find("intercept").isEmpty()) {
            return new Intercepts(List.of(), List.of(), false, false, false, true);
        }
        Node node = nested.require("intercept");
        node.allow("intercept", List.of("read", "write", "hlt", "cpuid", "io", "msr-bitmap"));
        return new Intercepts(
                msrs(node, "read"),
                msrs(node, "write"),
                flag(node, "hlt", false),
                flag(node, "cpuid", false),
                flag(node, "io", false),
                flag(node, "msr-bitmap", true));
    }

    private static List<Integer> msrs(Node node, String key) {
        return node.find(key).map(Node::items).orElse(List.of()).stream()
                .map(ScenarioCompiler::msr)
                .toList();
    }

    private static boolean flag(Node node, String key, boolean byDefault) {
        return node.find(key).map(Node::bool).orElse(byDefault);
    }

    private Map<String, Long> fields(Node nested) {
        Map<String, Long> fields = new TreeMap<>();
        nested.find("fields")
                .ifPresent(node ->
                        node.entries()
                                .forEach((name, entry) ->
                                        fields.put(field(name, entry), entry.value().number())));
        return fields;
    }

    private String field(String name, Entry entry) {
        return layouts.stream()
                .flatMap(layout -> layout.find(name).stream())
                .findFirst()
                .orElseThrow(() -> unknownField(name, new Scalar(entry.keyPlace(), name, true)))
                .name();
    }

    private RuntimeException unknownField(String name, Node key) {
        if (Layout.VMCS.find(name).isPresent() || Layout.VMCB.find(name).isPresent()) {
            return key.error(
                    Kind.NOT_APPLICABLE,
                    "'%s' is not a field of this machine's %s",
                    name,
                    vendor == Vendor.VMX ? "VMCS" : "VMCB");
        }
        List<String> known =
                layouts.stream()
                        .flatMap(layout -> layout.fields().stream())
                        .map(Field::name)
                        .toList();
        return key.error(
                Kind.UNKNOWN_NAME,
                "unknown field '%s'%s",
                Node.abridged(name),
                Suggestion.of(name, known));
    }

    /// The address of the next op.
    private long rip() {
        return (inL2 ? FIRST_RIP_L2 : FIRST_RIP) + 16L * code.size();
    }

    private void op(String name, Node key, Node value) {
        long rip = rip();
        switch (name) {
            case "run" -> count(value, "instructions", n -> new GuestOp.Run(rip, n));
            case "wrmsr" -> {
                value.allow(name, List.of("msr", "value"));
                int msr = msr(value.require("msr"));
                number(value.require("value"), n -> new GuestOp.Wrmsr(rip, msr, n));
            }
            case "rdmsr" -> {
                Node msr = value instanceof Scalar ? value : only(value, name, "msr");
                fixed(new GuestOp.Rdmsr(rip, msr(msr)));
            }
            case "cpuid" -> {
                value.allow(name, List.of("leaf", "subleaf"));
                int leaf = (int) value.require("leaf").number(0, 0xffff_ffffL);
                int subleaf =
                        (int)
                                value.find("subleaf")
                                        .map(n -> n.number(0, 0xffff_ffffL))
                                        .orElse(0L)
                                        .longValue();
                fixed(new GuestOp.Cpuid(rip, leaf, subleaf));
            }
            case "hlt" -> bare(value, name, new GuestOp.Hlt(rip));
            case "in" -> {
                value.allow(name, List.of("port", "size"));
                fixed(new GuestOp.Io(rip, port(value), size(value, 4), false, 0));
            }
            case "out" -> {
                value.allow(name, List.of("port", "size", "value"));
                int port = port(value);
                int size = size(value, 4);
                number(
                        value.require("value"),
                        n -> new GuestOp.Io(rip, port, size, true, truncated(n, size)));
            }
            case "mmio" -> mmio(rip, value);
            case "vmcall", "vmmcall" -> {
                boolean bare = value instanceof Scalar s && s.text().isEmpty();
                long number = bare ? 0 : only(value, name, "nr").number();
                fixed(new GuestOp.Hypercall(rip, name.equals("vmmcall"), number));
            }
            case "mov-cr" -> {
                value.allow(name, List.of("cr", "value"));
                int cr = oneOf(value.require("cr"), "control register", 0, 2, 3, 4, 8);
                number(value.require("value"), n -> new GuestOp.MovToCr(rip, cr, n));
            }
            case "mov-dr" -> {
                value.allow(name, List.of("dr", "value"));
                int dr = oneOf(value.require("dr"), "debug register", 0, 1, 2, 3, 6, 7);
                number(value.require("value"), n -> new GuestOp.MovToDr(rip, dr, n));
            }
            case "invlpg" -> {
                Node address = value instanceof Scalar ? value : only(value, name, "address");
                fixed(new GuestOp.TlbInvalidate(rip, TlbInstruction.INVLPG, 0, address.number()));
            }
            case "invpcid" -> {
                value.allow(name, List.of("type", "pcid"));
                int type = (int) value.require("type").number(0, 3);
                long pcid = value.find("pcid").map(n -> n.number(0, 4095)).orElse(0L);
                fixed(new GuestOp.TlbInvalidate(rip, TlbInstruction.INVPCID, type, pcid));
            }
            case "rdtsc" -> bare(value, name, new GuestOp.Rdtsc(rip));
            case "xsetbv" -> {
                value.allow(name, List.of("xcr", "value"));
                int xcr = (int) value.find("xcr").map(n -> n.number(0, 1)).orElse(0L).longValue();
                number(value.require("value"), n -> new GuestOp.Xsetbv(rip, xcr, n));
            }
            case "pause" -> bare(value, name, new GuestOp.Pause(rip));
            case "call" -> count(value, "calls", n -> new GuestOp.Call(rip, n));
            case "ret" -> count(value, "returns", n -> new GuestOp.Ret(rip, n));
            case "xsaves", "xrstors" -> {
                var instruction = StateInstruction.valueOf(name.toUpperCase(Locale.ROOT));
                number(only(value, name, "mask"), n -> new GuestOp.MoveState(rip, instruction, n));
            }
            case "vmload", "vmsave" -> saveArea(rip, name, value);
            case "interrupt", "host-interrupt" -> {
                int vector = (int) only(value, name, "vector").number(16, 255);
                Target target = name.equals("interrupt") ? Target.GUEST : Target.HOST;
                input(new InterruptArrived(target, vector));
            }
            case "host-write" -> {
                value.allow(name, List.of("msr", "value"));
                int msr = msr(value.require("msr"));
                drawn(
                        value.require("value"),
                        n -> new Step.Meanwhile(new UserspaceMsrRequested(msr, n)));
            }
            case "preempt" -> preempt(value);
            case "host-filter" -> HostFilter.requests(value).forEach(this::input);
            case "force-spec-ctrl" -> input(force(false, value));
            default -> throw unknown(name, key);
        }
    }

    private static RuntimeException unknown(String name, Node key) {
        return key.error(
                Kind.UNKNOWN_NAME,
                "unknown op '%s'%s",
                Node.abridged(name),
                Suggestion.orAll(name, "ops", OPS));
    }

    private void mmio(long rip, Node value) {
        value.allow("mmio", List.of("address", "size", "write"));
        long address = value.require("address").number();
        int size = size(value, 8);
        if (value.find("write").isEmpty()) {
            fixed(new GuestOp.Mmio(rip, address, size, false, 0));
        } else {
            number(
                    value.require("write"),
                    n -> new GuestOp.Mmio(rip, address, size, true, truncated(n, size)));
        }
    }

    private void saveArea(long rip, String name, Node value) {
        var instruction = VmInstruction.valueOf(name.toUpperCase(Locale.ROOT));
        boolean bare = value instanceof Scalar s && s.text().isEmpty();
        long address = bare ? 0x10_4000 : only(value, name, "address").number();
        fixed(new GuestOp.VmOp(rip, instruction, address, 0));
    }

    private void preempt(Node value) {
        int pcpu = HostPreempted.LATER;
        if (!(value instanceof Scalar)) {
            value.allow("preempt", List.of("pcpu"));
            pcpu = value.find("pcpu").map(n -> (int) n.number(0, 1023)).orElse(HostPreempted.LATER);
        } else {
            bareCheck(value, "preempt");
        }
        input(new HostPreempted(pcpu));
    }

    static SpecCtrlForceRequested force(boolean vm, Node value) {
        value.allow("force-spec-ctrl", List.of("mask", "value"));
        return new SpecCtrlForceRequested(
                vm, value.require("mask").number(), value.require("value").number());
    }

    private static long truncated(long value, int size) {
        return size == 8 ? value : value & ((1L << (8 * size)) - 1);
    }

    private static int port(Node value) {
        return (int) value.require("port").number(0, 0xffff);
    }

    private static int size(Node value, int largest) {
        Node size = value.find("size").orElse(new Scalar(value.place(), "1", false));
        return largest == 8 ? oneOf(size, "size", 1, 2, 4, 8) : oneOf(size, "size", 1, 2, 4);
    }

    /// A number that is one of a few.
    private static int oneOf(Node node, String what, Integer... known) {
        long number = node.number();
        for (int each : known) {
            if (each == number) {
                return each;
            }
        }
        throw node.expected(what + " " + Node.anyOf(List.of(known)));
    }

    private static Node only(Node value, String op, String key) {
        value.allow(op, List.of(key));
        return value.require(key);
    }

    static int msr(Node node) {
        return Msrs.parse(node.text())
                .orElseThrow(() ->
                        node.error(
                                Kind.UNKNOWN_NAME,
                                "unknown MSR '%s'%s",
                                Node.abridged(node.text()),
                                Suggestion.of(node.text(), Msrs.names())));
    }

    private void bare(Node value, String name, GuestOp op) {
        bareCheck(value, name);
        fixed(op);
    }

    private static void bareCheck(Node value, String name) {
        boolean empty =
                switch (value) {
                    case Scalar s -> s.text().isEmpty();
                    case Node.Mapping m -> m.entries().isEmpty();
                    case Node.Sequence _ -> false;
                };
        if (!empty) {
            throw value.error(Kind.SYNTAX, "'%s' takes no operand", name);
        }
    }

    private void fixed(GuestOp op) {
        step(new Instruction.Fixed(new Step.Do(op)));
    }

    private void input(InputEvent input) {
        step(new Instruction.Fixed(new Step.Meanwhile(input)));
    }

    private void step(Instruction instruction) {
        code.add(instruction);
        steps++;
    }

    private void count(Node value, String what, Function<Long, GuestOp> maker) {
        Operand count = Operand.of(value);
        if (count.least() < 1 || count.most() < 1 || count.most() > LONGEST_RUN) {
            throw value.error(Kind.SYNTAX, "expected 1 to %d %s", LONGEST_RUN, what);
        }
        number(value, maker);
    }

    private void number(Node value, Function<Long, GuestOp> maker) {
        drawn(value, n -> new Step.Do(maker.apply(n)));
    }

    private void drawn(Node value, Function<Long, Step> maker) {
        Operand operand = Operand.of(value);
        step(
                operand.constant()
                        ? new Instruction.Fixed(maker.apply(operand.least()))
                        : new Instruction.Drawn(generator -> maker.apply(operand.draw(generator))));
    }
}
