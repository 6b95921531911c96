package trapline.engine.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.policy.Policy.Choice;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Resources;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;
import trapline.engine.text.YamlPrinter;

/// Finds and resolves policies: `BASE[,MECHANISM=VARIANT]…`, or a user's file.
public final class Policies {

    private static final int DEEPEST = 16;

    /// What a variant's file says of itself, and where it applies; the rest of it goes into the policy.
    private static final String[] ABOUT = {
        "mechanism",
        "variant",
        "summary",
        "status",
        "source",
        "vendors",
        "counterfactual",
        "platform"
    };

    private static final String PASS_THROUGH = "pass-through";

    private final Function<String, Optional<String>> files;

    /// @param files the text of a user's file by its name, where there is one
    public Policies(Function<String, Optional<String>> files) {
        this.files = files;
    }

    public static List<String> bases() {
        return Resources.names("policies");
    }

    public static List<String> mechanisms() {
        List<String> mechanisms = new ArrayList<>(withFiles());
        mechanisms.add(PASS_THROUGH);
        return mechanisms;
    }

    /// The mechanisms whose variants come with the program as files.
    private static List<String> withFiles() {
        return Resources.names("variants");
    }

    public static List<String> variants(String mechanism) {
        return mechanism.equals(PASS_THROUGH)
                ? List.of()
                : Resources.names("variants/" + mechanism);
    }

    /// What a variant says of itself: `summary`, `status`, `source`; and where it applies: `vendors`, `platform`.
    public static Mapping variant(String mechanism, String variant) {
        String path = "variants/" + mechanism + "/" + variant + ".yaml";
        return PolicyTree.mapping(Yaml.parse(Resources.text(path).orElseThrow(), path));
    }

    /// The variant that was chosen, if this version of the program still has it.
    public static Optional<Mapping> find(Choice choice) {
        return withFiles().contains(choice.mechanism())
                        && variants(choice.mechanism()).contains(choice.variant())
                ? Optional.of(variant(choice.mechanism(), choice.variant()))
                : Optional.empty();
    }

    /// The policy that a user's words mean.
    public Policy resolve(String expression) {
        String[] parts = expression.split(",", -1);
        Mapping tree = base(parts[0].trim(), 0);
        for (int i = 1; i < parts.length; i++) {
            tree = choose(tree, parts[i].trim(), expression);
        }
        return PolicyReader.read(named(tree, expression));
    }

    /// The policy in a text that [Policy.Identity#text] once was.
    public static Policy parse(String resolved) {
        return PolicyReader.read(PolicyTree.mapping(Yaml.parse(resolved, "recorded policy")));
    }

    private static Mapping named(Mapping tree, String expression) {
        return PolicyTree.with(PolicyTree.without(tree, "extends"), "policy", expression);
    }

    private Mapping base(String name, int depth) {
        if (depth > DEEPEST) {
            throw new InputException(
                    Kind.TOO_LARGE, "", "policy %s extends itself, or too many".formatted(name));
        }
        Optional<String> builtIn =
                bases().contains(name)
                        ? Resources.text("policies/" + name + ".yaml")
                        : Optional.empty();
        String text = builtIn.or(() -> files.apply(name)).orElseThrow(() -> unknown(name));
        Mapping tree = PolicyTree.mapping(Yaml.parse(text, name));
        Mapping own = builtIn.isPresent() ? tree : user(tree);
        Optional<Node> lower = tree.find("extends");
        if (lower.isEmpty()) {
            return own;
        }
        return intercepted(
                PolicyTree.over(lower(lower.get(), depth), PolicyTree.without(own, "intercept")),
                tree);
    }

    private Mapping lower(Node lower, int depth) {
        String[] parts = lower.text().split(",", -1);
        try {
            Mapping tree = base(parts[0].trim(), depth + 1);
            for (int i = 1; i < parts.length; i++) {
                tree = choose(tree, parts[i].trim(), lower.text());
            }
            return tree;
        } catch (InputException e) {
            throw e.place().isEmpty() ? lower.error(e.kind(), "%s", e.getMessage()) : e;
        }
    }

    /// A user's file says what it builds on, and may not be silent about it.
    private static Mapping user(Mapping tree) {
        if (tree.find("extends").isEmpty()) {
            throw tree.error(
                    Kind.SYNTAX, "'extends' is missing: name the policy this one builds on");
        }
        tree.find("policy")
                .filter(name -> bases().contains(name.text()))
                .ifPresent(name -> {
                    throw name.error(
                            Kind.SYNTAX,
                            "%s is built in and never changes; give this policy a name of its own",
                            name.text());
                });
        return tree;
    }

    /// `intercept: [MSR, …]`: what is not passed through, whatever the policy below does.
    private static Mapping intercepted(Mapping tree, Mapping own) {
        Mapping changed = tree;
        for (Node msr : own.find("intercept").map(Node::oneOrMore).orElse(List.of())) {
            int index = PolicyReader.msr(msr);
            changed = PolicyTree.passThrough(changed, list -> without(list, index));
        }
        return changed;
    }

    private static List<Node> without(List<Node> accesses, int msr) {
        return accesses.stream()
                .filter(access -> PolicyReader.msr(access.require("msr")) != msr)
                .toList();
    }

    private static Mapping choose(Mapping tree, String choice, String expression) {
        int equals = choice.indexOf('=');
        if (equals < 0) {
            throw new InputException(
                    Kind.SYNTAX,
                    "",
                    "policy '%s': expected MECHANISM=VARIANT after the comma, found '%s'"
                            .formatted(expression, choice));
        }
        String mechanism = choice.substring(0, equals).toLowerCase(Locale.ROOT);
        String variant = choice.substring(equals + 1);
        if (mechanism.equals(PASS_THROUGH)) {
            return passThrough(tree, variant);
        }
        if (!withFiles().contains(mechanism)) {
            throw new InputException(
                    Kind.UNKNOWN_NAME,
                    "",
                    "unknown mechanism '%s'%s"
                            .formatted(
                                    mechanism,
                                    Suggestion.orAll(mechanism, "mechanisms", mechanisms())));
        }
        if (!variants(mechanism).contains(variant)) {
            throw new InputException(
                    Kind.UNKNOWN_NAME,
                    "",
                    "unknown variant '%s' of %s%s"
                            .formatted(
                                    variant,
                                    mechanism,
                                    Suggestion.orAll(variant, "variants", variants(mechanism))));
        }
        Mapping fragment = PolicyTree.without(variant(mechanism, variant), ABOUT);
        return chosen(PolicyTree.over(tree, fragment), new Choice(mechanism, variant));
    }

    /// Keeps which variants were chosen by name, the last one of each mechanism.
    private static Mapping chosen(Mapping tree, Choice choice) {
        List<String> texts = new ArrayList<>();
        for (Choice before : PolicyReader.chosen(tree)) {
            if (!before.mechanism().equals(choice.mechanism())) {
                texts.add(before.toString());
            }
        }
        texts.add(choice.toString());
        return PolicyTree.withList(tree, "chosen", texts);
    }

    /// `-FS_BASE+TSC_AUX` changes the list; a list without a sign in front replaces it.
    private static Mapping passThrough(Mapping tree, String list) {
        Mapping changed = tree;
        boolean replaces = !list.startsWith("+") && !list.startsWith("-");
        if (replaces) {
            changed = PolicyTree.passThrough(changed, _ -> List.of());
        }
        if (list.equals("none")) {
            return changed;
        }
        String signed = replaces ? "+" + list : list;
        for (int at = 0; at < signed.length(); ) {
            int next = at + 1;
            while (next < signed.length() && "+-".indexOf(signed.charAt(next)) < 0) {
                next++;
            }
            String name = signed.substring(at + 1, next);
            int msr = passedThrough(name, list);
            boolean add = signed.charAt(at) == '+';
            Mapping before = changed;
            changed =
                    PolicyTree.passThrough(
                            changed,
                            accesses -> {
                                List<Node> kept = new ArrayList<>(without(accesses, msr));
                                if (add) {
                                    kept.add(PolicyTree.access(before, Msrs.name(msr), "rw"));
                                }
                                return kept;
                            });
            at = next;
        }
        return changed;
    }

    private static int passedThrough(String name, String list) {
        return Msrs.parse(name)
                .orElseThrow(() -> {
                    String expected =
                            name.isEmpty()
                                    ? "expected 'none', or MSRs with + or - before each"
                                    : "unknown MSR '%s'%s"
                                            .formatted(name, Suggestion.of(name, Msrs.names()));
                    return new InputException(
                            Kind.UNKNOWN_NAME, "", "pass-through=%s: %s".formatted(list, expected));
                });
    }

    private static InputException unknown(String name) {
        return new InputException(
                Kind.UNKNOWN_NAME,
                "",
                "unknown policy '%s'; built in are %s%s"
                        .formatted(
                                name,
                                String.join(", ", bases()),
                                Suggestion.of(name, new TreeSet<>(bases()))));
    }

    /// A resolved tree's canonical text.
    static String text(Mapping tree) {
        return YamlPrinter.print(tree);
    }
}
