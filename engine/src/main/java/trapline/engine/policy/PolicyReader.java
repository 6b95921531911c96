package trapline.engine.policy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.policy.Policy.Access;
import trapline.engine.policy.Policy.Choice;
import trapline.engine.policy.Policy.Commands;
import trapline.engine.policy.Policy.Ibpb;
import trapline.engine.policy.Policy.Identity;
import trapline.engine.policy.Policy.Merge;
import trapline.engine.policy.Policy.MergeEntry;
import trapline.engine.policy.Policy.Phases;
import trapline.engine.policy.Policy.SpecCtrl;
import trapline.engine.policy.Policy.Svm;
import trapline.engine.policy.Policy.SvmControls;
import trapline.engine.policy.Policy.SvmMerge;
import trapline.engine.policy.Policy.Vendors;
import trapline.engine.policy.Policy.VirtualSpecCtrl;
import trapline.engine.policy.Policy.Vmx;
import trapline.engine.policy.Policy.VmxControls;
import trapline.engine.policy.Policy.VmxMerge;
import trapline.engine.policy.Policy.Watch;
import trapline.engine.table.Bits;
import trapline.engine.table.Features;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Suggestion;

/// A resolved tree of keys to a [Policy], with every name checked.
final class PolicyReader {

    private static final List<String> GROUPS =
            List.of("pin", "primary", "secondary", "tertiary", "entry", "exit");

    private static final long MOST_EXITS = 1L << 40;

    private PolicyReader() {}

    static Policy read(Mapping tree) {
        List<String> keys =
                new ArrayList<>(
                        List.of(
                                "policy",
                                "summary",
                                "source",
                                "chosen",
                                "spec-ctrl",
                                "pred-cmd",
                                "flush-cmd",
                                "ibpb",
                                "host",
                                "pass-through",
                                "nested",
                                "controls",
                                "phases"));
        keys.addAll(Mechanisms.KEYS);
        tree.allow("a policy", keys);
        Node host = tree.require("host");
        host.allow("host", List.of("bhi-mitigation"));
        return new Policy(
                new Identity(
                        tree.require("policy").text(),
                        tree.find("summary").map(Node::text).orElse(""),
                        chosen(tree),
                        Policies.text(tree)),
                specCtrl(tree.require("spec-ctrl")),
                commands(tree),
                ibpb(tree.require("ibpb")),
                host.require("bhi-mitigation").bool(),
                vendors(tree),
                merge(tree.require("nested")),
                Mechanisms.read(tree));
    }

    /// `chosen: [MECHANISM=VARIANT, …]`, as resolving wrote it.
    static List<Choice> chosen(Mapping tree) {
        return tree.find("chosen").map(Node::items).orElse(List.of()).stream()
                .map(item -> {
                    String[] parts = item.text().split("=", 2);
                    if (parts.length < 2) {
                        throw item.expected("MECHANISM=VARIANT");
                    }
                    return new Choice(parts[0], parts[1]);
                })
                .toList();
    }

    private static SpecCtrl specCtrl(Node node) {
        node.allow(
                "spec-ctrl",
                List.of(
                        "start",
                        "lift",
                        "count",
                        "quick-window",
                        "resume",
                        "recalculate",
                        "v-spec-ctrl",
                        "entry-bits",
                        "kernel-ibrs"));
        String start =
                node.require("start")
                        .oneOf(List.of("intercepted", "passed-through"), "start of interception");
        String virtual =
                node.require("v-spec-ctrl")
                        .oneOf(
                                List.of("unknown", "pass-through", "pass-through-if-guest-has"),
                                "treatment of V_SPEC_CTRL");
        Node bits = node.require("entry-bits");
        bits.oneOf(List.of("32", "64"), "number of bits");
        return new SpecCtrl(
                start.equals("passed-through"),
                Condition.of(node.require("lift")),
                watch(node),
                recalculate(node),
                switch (virtual) {
                    case "unknown" -> VirtualSpecCtrl.UNKNOWN;
                    case "pass-through" -> VirtualSpecCtrl.PASS_THROUGH;
                    default -> VirtualSpecCtrl.PASS_THROUGH_IF_GUEST_HAS;
                },
                (int) bits.number(),
                node.find("kernel-ibrs").map(Node::bool).orElse(false));
    }

    /// `true`: passed through if a write of the value that is there would lift interception.
    private static Optional<Condition> recalculate(Node node) {
        Node recalculate = node.require("recalculate");
        return switch (recalculate.text()) {
            case "false" -> Optional.empty();
            case "true" -> Optional.of(Condition.of(node.require("lift")));
            default -> Optional.of(Condition.of(recalculate));
        };
    }

    private static Watch watch(Node node) {
        return new Watch(
                node.find("count").map(Condition::of).orElse(Condition.never()),
                node.find("quick-window").map(window -> window.number(0, MOST_EXITS)).orElse(0L),
                node.find("resume").map(Condition::of).orElse(Condition.never()));
    }

    private static Commands commands(Node tree) {
        Node predCmd = tree.require("pred-cmd");
        predCmd.allow("pred-cmd", List.of("pass-through", "sbpb", "gate-sbpb"));
        String when =
                predCmd.require("pass-through")
                        .oneOf(List.of("after-first-write", "at-cpuid"), "time of pass-through");
        String flush =
                tree.require("flush-cmd")
                        .oneOf(List.of("unsupported", "at-cpuid"), "treatment of FLUSH_CMD");
        return new Commands(
                when.equals("at-cpuid"),
                predCmd.require("sbpb").bool(),
                predCmd.find("gate-sbpb").map(Node::bool).orElse(false),
                flush.equals("at-cpuid"));
    }

    private static Ibpb ibpb(Node node) {
        node.allow("ibpb", List.of("vcpu-switch", "nested-exit"));
        String vcpuSwitch =
                node.require("vcpu-switch").oneOf(List.of("vendor", "common"), "place of the IBPB");
        String nestedExit =
                node.require("nested-exit")
                        .oneOf(
                                List.of("none", "vmx-if-guest-has-spec-ctrl", "if-guest-has-ibrs"),
                                "rule for nested exits");
        return new Ibpb(
                vcpuSwitch.equals("vendor") ? Ibpb.Switch.VENDOR : Ibpb.Switch.COMMON,
                switch (nestedExit) {
                    case "none" -> Ibpb.NestedExit.NONE;
                    case "vmx-if-guest-has-spec-ctrl" -> Ibpb.NestedExit.VMX_IF_GUEST_HAS_SPEC_CTRL;
                    default -> Ibpb.NestedExit.IF_GUEST_HAS_IBRS;
                });
    }

    private static Vendors vendors(Node tree) {
        Node passThrough = tree.require("pass-through");
        passThrough.allow("pass-through", List.of("vmx", "svm"));
        Node controls = tree.require("controls");
        controls.allow("controls", List.of("vmx", "svm"));
        Node phases = tree.require("phases");
        phases.allow("phases", List.of("vmx", "svm"));
        return new Vendors(
                new Vmx(
                        accesses(passThrough.require("vmx")),
                        vmxControls(controls.require("vmx")),
                        phases(phases.require("vmx"))),
                new Svm(
                        accesses(passThrough.require("svm")),
                        svmControls(controls.require("svm")),
                        phases(phases.require("svm"))));
    }

    private static List<Access> accesses(Node list) {
        for (Node item : list.items()) {
            item.allow("an access", List.of("msr", "access"));
        }
        return list.items().stream().map(PolicyReader::access).toList();
    }

    private static Access access(Node node) {
        String kinds = node.require("access").oneOf(List.of("r", "w", "rw"), "kind of access");
        return new Access(msr(node.require("msr")), kinds.contains("r"), kinds.contains("w"));
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

    private static VmxControls vmxControls(Node node) {
        List<String> keys = new ArrayList<>(GROUPS);
        keys.addAll(
                List.of(
                        "secondary-if-guest",
                        "secondary-unless-guest",
                        "exceptions",
                        "cr0-guest-owned",
                        "cr4-guest-owned",
                        "cr4-host-owned-if-reserved"));
        node.allow("controls of VMX", keys);
        SortedMap<String, List<String>> always = new TreeMap<>();
        for (String group : GROUPS) {
            always.put(
                    group,
                    node.require(group).items().stream().map(PolicyReader::control).toList());
        }
        return new VmxControls(
                Collections.unmodifiableSortedMap(always),
                names(node.require("secondary-if-guest"), true),
                names(node.require("secondary-unless-guest"), true),
                vectors(node.require("exceptions")),
                mask(node.require("cr0-guest-owned")),
                mask(node.require("cr4-guest-owned")),
                node.find("cr4-host-owned-if-reserved").map(Node::bool).orElse(false));
    }

    private static String control(Node node) {
        if (!Bits.isControl(node.text())) {
            throw node.error(
                    Kind.UNKNOWN_NAME,
                    "unknown VMX control '%s'%s",
                    node.text(),
                    Suggestion.of(node.text(), Bits.controlNames()));
        }
        return node.text();
    }

    private static String intercept(Node node) {
        if (!Bits.isIntercept(node.text())) {
            throw node.error(
                    Kind.UNKNOWN_NAME,
                    "unknown SVM intercept '%s'%s",
                    node.text(),
                    Suggestion.of(node.text(), Bits.interceptNames()));
        }
        return node.text();
    }

    /// Control or intercept to the features on which it depends, all of them.
    private static SortedMap<String, List<String>> names(Node node, boolean vmx) {
        SortedMap<String, List<String>> names = new TreeMap<>();
        for (Map.Entry<String, Entry> entry : node.entries().entrySet()) {
            Node key = new Node.Scalar(entry.getValue().keyPlace(), entry.getKey(), true);
            names.put(vmx ? control(key) : intercept(key), features(entry.getValue().value()));
        }
        return Collections.unmodifiableSortedMap(names);
    }

    private static List<String> features(Node node) {
        return node.oneOrMore().stream()
                .map(feature -> feature.oneOf(Features.names(), "feature"))
                .toList();
    }

    private static List<Integer> vectors(Node node) {
        return node.items().stream().map(item -> (int) item.number(0, 31)).toList();
    }

    private static long mask(Node bits) {
        long mask = 0;
        for (Node bit : bits.items()) {
            mask |= 1L << bit.number(0, 63);
        }
        return mask;
    }

    private static SvmControls svmControls(Node node) {
        node.allow(
                "controls of SVM",
                List.of(
                        "intercepts",
                        "if-platform",
                        "unless-platform",
                        "unless-guest",
                        "unless-guest-svme",
                        "exceptions",
                        "virtual-nmi",
                        "clean-bits"));
        TreeSet<String> unlessSvme = new TreeSet<>();
        for (Node item : node.find("unless-guest-svme").map(Node::items).orElse(List.of())) {
            unlessSvme.add(intercept(item));
        }
        return new SvmControls(
                node.require("intercepts").items().stream().map(PolicyReader::intercept).toList(),
                names(node.require("if-platform"), false),
                names(node.require("unless-platform"), false),
                names(node.require("unless-guest"), false),
                Collections.unmodifiableSortedSet(unlessSvme),
                vectors(node.require("exceptions")),
                node.find("virtual-nmi").map(Node::bool).orElse(false),
                mask(node.require("clean-bits")));
    }

    private static Phases phases(Node node) {
        node.allow(
                "phases",
                List.of("load", "prepare", "before-entry", "after-exit", "put", "return-to-user"));
        return new Phases(
                steps(node.require("load")),
                steps(node.require("prepare")),
                steps(node.require("before-entry")),
                steps(node.require("after-exit")),
                steps(node.require("put")),
                steps(node.require("return-to-user")));
    }

    private static List<Step> steps(Node list) {
        TreeMap<String, Step> known = new TreeMap<>();
        for (Step step : Step.values()) {
            known.put(step.text(), step);
        }
        return list.items().stream()
                .map(item -> known.get(item.oneOf(known.keySet(), "step")))
                .toList();
    }

    private static Merge merge(Node node) {
        node.allow("nested", List.of("vmx-merge", "svm-merge", "svm-transition-flush"));
        Node vmx = node.require("vmx-merge");
        vmx.allow("vmx-merge", List.of("rule", "msrs"));
        List<MergeEntry> entries = new ArrayList<>();
        for (Node item : vmx.require("msrs").items()) {
            item.allow("an entry of the merge", List.of("msr", "access", "if-01-passes-writes"));
            boolean ifPassed = item.find("if-01-passes-writes").map(Node::bool).orElse(false);
            entries.add(new MergeEntry(access(item), ifPassed));
        }
        Node svm = node.require("svm-merge");
        svm.allow("svm-merge", List.of("word-bits", "msrs", "only-from-12", "virtual-vmload"));
        Optional<Node> flush = node.find("svm-transition-flush");
        Node wordBits = svm.require("word-bits");
        wordBits.oneOf(List.of("32", "64"), "number of bits");
        return new Merge(
                new VmxMerge(
                        vmx.require("rule")
                                .oneOf(List.of("clear-only", "or"), "rule of the merge")
                                .equals("clear-only"),
                        List.copyOf(entries)),
                new SvmMerge(
                        (int) wordBits.number(),
                        svm.require("msrs").items().stream().map(PolicyReader::msr).toList(),
                        svm.require("only-from-12").items().stream()
                                .map(PolicyReader::intercept)
                                .toList(),
                        svm.require("virtual-vmload").bool(),
                        flush.map(Node::bool).orElse(false)));
    }
}
