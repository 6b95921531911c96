package trapline.engine.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.cpu.Platform.Description;
import trapline.engine.cpu.Platform.ExtendedStates;
import trapline.engine.cpu.Platform.Host;
import trapline.engine.cpu.Platform.Quirks;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Features;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Node.Place;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Node.Sequence;
import trapline.engine.text.Resources;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;
import trapline.engine.text.YamlPrinter;

/// Finds host platforms: `NAME[,property=on|off]…`, or a user's file.
public final class Platforms {

    private static final int DEEPEST = 16;
    private static final int MOST_PCPUS = 1024;

    private final Function<String, Optional<String>> files;

    /// @param files the text of a user's file by its name, where there is one
    public Platforms(Function<String, Optional<String>> files) {
        this.files = files;
    }

    public static List<String> names() {
        return Resources.names("platforms");
    }

    /// The platform that a user's words mean; names in any case.
    public Platform resolve(String expression) {
        String[] parts = expression.split(",", -1);
        Mapping tree = tree(parts[0].trim(), 0);
        SequencedMap<String, Entry> overrides = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String property = equals < 0 ? "" : parts[i].substring(0, equals).trim();
            String value = parts[i].substring(equals + 1).trim();
            if (property.isEmpty() || !List.of("true", "false").contains(value)) {
                throw new InputException(
                        Kind.SYNTAX,
                        "cpu '" + expression + "'",
                        "expected PROPERTY=true or PROPERTY=false, found '%s'".formatted(parts[i]));
            }
            if (Features.property(property).isEmpty()
                    && !ReturnPredictor.PROPERTIES.contains(property)) {
                throw new InputException(
                        Kind.UNKNOWN_NAME,
                        "cpu '" + expression + "'",
                        "unknown property '%s'%s"
                                .formatted(property, Suggestion.of(property, properties())));
            }
            Place place = new Place("cpu '" + expression + "'", 1, 1);
            overrides.put(property, new Entry(place, new Scalar(place, value, false)));
        }
        if (!overrides.isEmpty()) {
            tree = merge(tree, new Mapping(tree.place(), overrides));
        }
        return read(tree);
    }

    /// What may be set on a command line.
    private static SortedSet<String> properties() {
        SortedSet<String> properties = new TreeSet<>(Features.properties());
        properties.addAll(ReturnPredictor.PROPERTIES);
        return properties;
    }

    /// The platform in a text that [Platform.Description#text] once was.
    public static Platform parse(String resolved) {
        if (Yaml.parse(resolved, "recorded platform") instanceof Mapping tree) {
            return read(tree);
        }
        throw new InputException(Kind.SYNTAX, "recorded platform", "expected a mapping");
    }

    private Mapping tree(String name, int depth) {
        if (depth > DEEPEST) {
            throw new InputException(
                    Kind.TOO_LARGE, "", "platform %s extends itself, or too many".formatted(name));
        }
        String text = text(name).orElseThrow(() -> unknown(name));
        if (!(Yaml.parse(text, name) instanceof Mapping tree)) {
            throw new InputException(Kind.SYNTAX, name, "a platform is a mapping");
        }
        Optional<Node> lower = tree.find("extends");
        Mapping below =
                lower.isEmpty()
                        ? new Mapping(tree.place(), new LinkedHashMap<>())
                        : lower(lower.get(), depth);
        return merge(below, tree);
    }

    private Mapping lower(Node name, int depth) {
        try {
            return tree(name.text(), depth + 1);
        } catch (InputException e) {
            throw e.place().isEmpty() ? name.error(e.kind(), "%s", e.getMessage()) : e;
        }
    }

    private Optional<String> text(String name) {
        for (String known : names()) {
            String text = Resources.text("platforms/" + known + ".yaml").orElseThrow();
            if (known.equalsIgnoreCase(name)
                    || aliases(text).contains(name.toLowerCase(Locale.ROOT))) {
                return Optional.of(text);
            }
        }
        return files.apply(name);
    }

    private static List<String> aliases(String text) {
        return text.contains("\naliases:")
                ? Yaml.parse(text, "platform").find("aliases").orElseThrow().items().stream()
                        .map(alias -> alias.text().toLowerCase(Locale.ROOT))
                        .toList()
                : List.of();
    }

    /// Lists of features and controls grow, other keys replace.
    private static Mapping merge(Mapping lower, Mapping upper) {
        SequencedMap<String, Entry> merged = new LinkedHashMap<>(lower.entries());
        for (Map.Entry<String, Entry> entry : upper.entries().entrySet()) {
            String key = entry.getKey();
            Node value = entry.getValue().value();
            Entry below = merged.get(key);
            if (key.equals("extends") || key.equals("aliases")) {
                continue;
            }
            if (below != null && (key.equals("features") || key.equals("controls"))) {
                List<Node> items = new ArrayList<>(below.value().items());
                items.addAll(value.items());
                value = new Sequence(value.place(), items);
            } else if (below != null && key.equals("host")) {
                SequencedMap<String, Entry> host = new LinkedHashMap<>(below.value().entries());
                host.putAll(value.entries());
                value = new Mapping(value.place(), host);
            } else if (key.equals("without-controls")) {
                continue;
            }
            merged.put(key, new Entry(entry.getValue().keyPlace(), value));
        }
        return without(new Mapping(upper.place(), merged), upper);
    }

    private static Mapping without(Mapping merged, Mapping upper) {
        Optional<Node> removed = upper.find("without-controls");
        if (removed.isEmpty() || merged.find("controls").isEmpty()) {
            return merged;
        }
        List<String> names =
                removed.get().items().stream()
                        .map(control -> control.oneOf(Bits.controlNames(), "VMX control"))
                        .toList();
        SequencedMap<String, Entry> entries = new LinkedHashMap<>(merged.entries());
        List<Node> kept =
                merged.require("controls").items().stream()
                        .filter(control -> !names.contains(control.text()))
                        .toList();
        Entry controls = entries.get("controls");
        entries.put(
                "controls",
                new Entry(controls.keyPlace(), new Sequence(controls.value().place(), kept)));
        return new Mapping(merged.place(), entries);
    }

    private static Platform read(Mapping tree) {
        SortedSet<String> features = new TreeSet<>();
        for (Node feature : tree.require("features").items()) {
            features.add(feature.oneOf(Features.names(), "feature"));
        }
        SortedMap<String, String> synthetic = overrides(tree, features);
        SortedSet<String> controls = new TreeSet<>();
        for (Node control : tree.require("controls").items()) {
            controls.add(control.oneOf(Bits.controlNames(), "VMX control"));
        }
        String vendor = tree.require("vendor").oneOf(List.of("vmx", "svm"), "vendor");
        return new Platform(
                tree.require("platform").text(),
                vendor.equals("vmx") ? Vendor.VMX : Vendor.SVM,
                Collections.unmodifiableSortedSet(features),
                archCapabilities(tree.require("arch-capabilities")),
                Collections.unmodifiableSortedSet(controls),
                host(tree.require("host")),
                ReturnPredictor.read(tree),
                synthetic,
                tree.find("quirks").map(Platforms::quirks).orElse(Quirks.NONE),
                new Description(
                        tree.find("summary").map(Node::text).orElse(""),
                        tree.require("costs").text(),
                        signature(tree.require("family")),
                        tree.find("processor-trace")
                                .map(ProcessorTrace::read)
                                .orElse(ProcessorTrace.NONE),
                        YamlPrinter.print(tree)),
                extendedStates(tree));
    }

    private static ExtendedStates extendedStates(Mapping tree) {
        Optional<Node> states = tree.find("extended-states");
        if (states.isEmpty()) {
            return new ExtendedStates(false, 1, 0, 0);
        }
        Node node = states.get();
        node.allow("extended-states", List.of("xcr0", "supervisor", "host-s-cet"));
        long supervisor = 0;
        for (Node name : node.require("supervisor").items()) {
            supervisor |=
                    StateComponents.named(
                            name.oneOf(StateComponents.supervisorNames(), "state component"));
        }
        Node xcr0 = node.require("xcr0");
        if (!ControlRegisters.acceptExtended(0, xcr0.number())) {
            throw xcr0.expected("a value that XCR0 takes");
        }
        return new ExtendedStates(
                true,
                xcr0.number(),
                supervisor,
                node.find("host-s-cet").map(Node::number).orElse(0L));
    }

    /// Properties by QEMU's name, set against what the silicon has.
    private static SortedMap<String, String> overrides(Mapping tree, SortedSet<String> features) {
        List<String> keys = new ArrayList<>(ReturnPredictor.KEYS);
        keys.addAll(
                List.of(
                        "platform",
                        "vendor",
                        "summary",
                        "source",
                        "family",
                        "features",
                        "arch-capabilities",
                        "controls",
                        "host",
                        "costs",
                        "processor-trace",
                        "quirks",
                        "extended-states"));
        SortedMap<String, String> synthetic = new TreeMap<>();
        for (Map.Entry<String, Entry> entry : tree.entries().entrySet()) {
            if (keys.contains(entry.getKey())) {
                continue;
            }
            Features.Feature feature =
                    Features.property(entry.getKey())
                            .orElseThrow(() -> unknownKey(entry.getKey(), entry.getValue(), keys));
            boolean on = entry.getValue().value().bool();
            if (on ? features.add(feature.name()) : features.remove(feature.name())) {
                synthetic.put(feature.property(), Boolean.toString(on));
            }
        }
        return Collections.unmodifiableSortedMap(synthetic);
    }

    private static InputException unknownKey(String key, Entry entry, List<String> keys) {
        TreeSet<String> known = new TreeSet<>(Features.properties());
        known.addAll(keys);
        return new InputException(
                Kind.UNKNOWN_NAME,
                entry.keyPlace().toString(),
                "unknown property '%s' of a platform%s".formatted(key, Suggestion.of(key, known)));
    }

    private static long archCapabilities(Node names) {
        long bits = 0;
        for (Node name : names.items()) {
            long bit = Bits.msrBit(Msrs.ARCH_CAPABILITIES, name.text());
            if (bit == 0) {
                throw name.error(
                        Kind.UNKNOWN_NAME, "unknown bit '%s' of ARCH_CAPABILITIES", name.text());
            }
            bits |= bit;
        }
        return bits;
    }

    /// Family, model and stepping as CPUID leaf 1 shows them (SDM vol. 2, CPUID).
    private static int signature(Node node) {
        node.allow("family", List.of("family", "model", "stepping"));
        int family = (int) node.require("family").number(0, 270);
        int model = (int) node.require("model").number(0, 255);
        int stepping = (int) node.require("stepping").number(0, 15);
        int base = Math.min(family, 15);
        return stepping
                | ((model & 15) << 4)
                | (base << 8)
                | ((model >>> 4) << 16)
                | ((family - base) << 20);
    }

    private static Host host(Node host) {
        host.allow("host", List.of("spec-ctrl", "kernel-ibrs", "pcpus", "pt", "ssbd"));
        return new Host(
                host.require("spec-ctrl").number(),
                host.require("kernel-ibrs").bool(),
                (int) host.require("pcpus").number(1, MOST_PCPUS),
                host.find("pt").map(Platforms::hostTrace).orElse(Host.Trace.OFF),
                host.find("ssbd").map(Node::bool).orElse(false));
    }

    private static Host.Trace hostTrace(Node node) {
        String use = node.oneOf(List.of("off", "on", "tracing"), "use of PT");
        return Host.Trace.valueOf(use.toUpperCase(Locale.ROOT));
    }

    private static Quirks quirks(Node node) {
        node.allow("quirks", List.of("spec-ctrl-fault-check", "spec-ctrl-shadow"));
        return new Quirks(
                node.find("spec-ctrl-fault-check")
                        .map(n -> n.oneOf(List.of("merged", "written"), "value that is checked"))
                        .orElse("merged")
                        .equals("merged"),
                node.find("spec-ctrl-shadow")
                        .map(n -> n.oneOf(List.of("stored", "kept"), "treatment of the shadow"))
                        .orElse("stored")
                        .equals("stored"));
    }

    private InputException unknown(String name) {
        return new InputException(
                Kind.UNKNOWN_NAME,
                "",
                "unknown CPU '%s'; built in are %s%s"
                        .formatted(
                                name,
                                String.join(", ", names()),
                                Suggestion.of(name, new TreeSet<>(names()))));
    }
}
