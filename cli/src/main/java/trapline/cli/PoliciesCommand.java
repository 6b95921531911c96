package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.text.Node;
import trapline.engine.text.Yaml;

/// `policies`: what is built in, what a policy says in full, in what two differ.
@Command(
        name = "policies",
        description = "Lists the built-in policies and the variants of their mechanisms.",
        subcommands = {
            PoliciesCommand.Show.class,
            PoliciesCommand.Compare.class,
            PoliciesCommand.Check.class
        })
final class PoliciesCommand implements Callable<Integer> {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main.globals, spec);
        if (console.json()) {
            console.document(tree());
            return ExitCode.DONE.number();
        }
        Table bases = new Table("ll").row("BASE", "");
        for (String base : Policies.bases()) {
            bases.row(base, resolve(base).identity().summary());
        }
        console.out().print(bases);
        Table variants = new Table("lll").row("MECHANISM", "VARIANT", "");
        for (String mechanism : Policies.mechanisms()) {
            for (String variant : Policies.variants(mechanism)) {
                Node said = Policies.variant(mechanism, variant);
                variants.row(
                        mechanism,
                        variant,
                        "%s (%s)"
                                .formatted(
                                        said.require("summary").text(),
                                        said.require("status").text()));
            }
        }
        variants.row("pass-through", "-MSR+MSR…", "take MSRs off the tree's list, or add them");
        console.line("");
        console.out().print(variants);
        return ExitCode.DONE.number();
    }

    private static Policy resolve(String expression) {
        return new Policies(UserFiles::text).resolve(expression);
    }

    private static Map<String, Object> tree() {
        List<Object> bases = new ArrayList<>();
        for (String base : Policies.bases()) {
            bases.add(Map.of("policy", base, "summary", resolve(base).identity().summary()));
        }
        List<Object> variants = new ArrayList<>();
        for (String mechanism : Policies.mechanisms()) {
            for (String variant : Policies.variants(mechanism)) {
                Node said = Policies.variant(mechanism, variant);
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("mechanism", mechanism);
                row.put("variant", variant);
                row.put("summary", said.require("summary").text());
                row.put("status", said.require("status").text());
                row.put("source", said.require("source").text());
                variants.add(row);
            }
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("bases", bases);
        tree.put("variants", variants);
        return tree;
    }

    /// `policies show`.
    @Command(name = "show", description = "Prints a policy in full, as a file.")
    static final class Show implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(paramLabel = "POLICY")
        String policy;

        @Override
        public Integer call() {
            Console console = new Console(policies.main.globals, policies.spec);
            String text = resolve(policy).identity().text();
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                flatten("", Yaml.parse(text, policy), new TreeMap<>()).forEach(tree::put);
                console.document(tree);
            } else {
                console.out().print(text);
            }
            return ExitCode.DONE.number();
        }
    }

    /// `policies diff`.
    @Command(name = "diff", description = "Shows field by field in what two policies differ.")
    static final class Compare implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(index = "0", paramLabel = "P")
        String base;

        @Parameters(index = "1", paramLabel = "Q")
        String candidate;

        @Override
        public Integer call() {
            Console console = new Console(policies.main.globals, policies.spec);
            Map<String, String> before = fields(base);
            Map<String, String> after = fields(candidate);
            TreeSet<String> names = new TreeSet<>(before.keySet());
            names.addAll(after.keySet());
            List<Object> rows = new ArrayList<>();
            Table table = new Table("lll").row("FIELD", base, candidate);
            for (String name : names) {
                String was = before.getOrDefault(name, "");
                String is = after.getOrDefault(name, "");
                if (!was.equals(is)) {
                    table.row(name, was, is);
                    Map<String, Object> row = new LinkedHashMap<>();
                    row.put("field", name);
                    row.put("base", was);
                    row.put("candidate", is);
                    rows.add(row);
                }
            }
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                tree.put("base", base);
                tree.put("candidate", candidate);
                tree.put("differences", rows);
                console.document(tree);
            } else if (rows.isEmpty()) {
                console.note("No field differs.");
            } else {
                console.out().print(table);
            }
            return ExitCode.DONE.number();
        }

        private static Map<String, String> fields(String policy) {
            Map<String, String> fields =
                    flatten(
                            "",
                            Yaml.parse(resolve(policy).identity().text(), policy),
                            new TreeMap<>());
            List.of("policy", "summary", "source").forEach(fields::remove);
            return fields;
        }
    }

    /// `policies check`.
    @Command(name = "check", description = "Reads a policy file and type-checks its conditions.")
    static final class Check implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(paramLabel = "FILE")
        String file;

        @Override
        public Integer call() {
            Console console = new Console(policies.main.globals, policies.spec);
            Policy policy = MachineOptions.policy(file);
            if (console.json()) {
                console.document(Map.of("policy", policy.identity().expression(), "ok", true));
            } else {
                console.line("%s is in order.", file);
            }
            return ExitCode.DONE.number();
        }
    }

    /// Paths of keys to texts; a list is one text.
    private static Map<String, String> flatten(String path, Node node, Map<String, String> into) {
        switch (node) {
            case Node.Mapping m ->
                    m.entries()
                            .forEach((key, entry) ->
                                    flatten(
                                            path.isEmpty() ? key : path + "." + key,
                                            entry.value(),
                                            into));
            case Node.Sequence s -> into.put(path, list(s));
            case Node.Scalar s -> into.put(path, s.text());
        }
        return into;
    }

    private static String list(Node.Sequence sequence) {
        List<String> texts = new ArrayList<>();
        for (Node item : sequence.items()) {
            texts.add(
                    item instanceof Node.Mapping m
                            ? String.join(
                                    ":",
                                    m.entries().sequencedValues().stream()
                                            .map(e -> e.value().text())
                                            .toList())
                            : item.text());
        }
        return String.join(" ", texts);
    }
}
