package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.policy.PolicyFields;
import trapline.engine.policy.PolicyFields.Difference;
import trapline.engine.text.Node;

/// `policies`: what is built in, what a policy says in full, in what two differ.
@Command(
        name = "policies",
        description = "Lists the built-in policies and the variants of their mechanisms.",
        footer = {
            "",
            "A policy is written BASE[,MECHANISM=VARIANT]..., or is a file that says what it extends:",
            "  policy: mine",
            "  extends: kvm-6.1",
            "  spec-ctrl: {lift: value != 0u && value != 1u}",
            "  intercept: [FS_BASE]"
        },
        subcommands = {
            PoliciesCommand.Show.class,
            PoliciesCommand.Compare.class,
            PoliciesCommand.Check.class
        })
final class PoliciesCommand implements Callable<Integer> {

    /// Two values of which one at least has several members.
    private static final Pattern LIST = Pattern.compile("[\\w:-]+( [\\w:-]+){2,}");

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main, spec);
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
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("policy", base);
            row.put("summary", resolve(base).identity().summary());
            bases.add(row);
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
    @Command(name = "show", description = "Prints a policy in full: all that a file may set.")
    static final class Show implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(paramLabel = "POLICY", description = LogCommand.POLICY)
        String policy;

        @Override
        public Integer call() {
            Console console = new Console(policies.main, policies.spec);
            Policy.Identity resolved = resolve(policy).identity();
            if (console.json()) {
                console.document(new LinkedHashMap<>(PolicyFields.of(resolved)));
            } else {
                console.out().print(resolved.text());
            }
            return ExitCode.DONE.number();
        }
    }

    /// `policies diff`.
    @Command(name = "diff", description = "Shows field by field in what two policies differ.")
    static final class Compare implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(index = "0", paramLabel = "P", description = LogCommand.POLICY)
        String base;

        @Parameters(index = "1", paramLabel = "Q", description = "Likewise.")
        String candidate;

        @Override
        public Integer call() {
            Console console = new Console(policies.main, policies.spec);
            List<Object> rows = new ArrayList<>();
            Table table = new Table("lll").row("FIELD", base, candidate);
            for (Difference field :
                    PolicyFields.differences(
                            resolve(base).identity(), resolve(candidate).identity())) {
                table.row(
                        field.field(),
                        without(field.base(), field.candidate()),
                        without(field.candidate(), field.base()));
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("field", field.field());
                row.put("base", field.base());
                row.put("candidate", field.candidate());
                rows.add(row);
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
    }

    /// Of a list only the members that the other one lacks, where members are what differs.
    private static String without(String list, String other) {
        Set<String> mine = new TreeSet<>(List.of(list.split(" ")));
        Set<String> theirs = new TreeSet<>(List.of(other.split(" ")));
        if (!LIST.matcher((list + " " + other).strip()).matches() || mine.equals(theirs)) {
            return list;
        }
        String rest =
                Stream.of(list.split(" "))
                        .filter(member -> !theirs.contains(member))
                        .collect(Collectors.joining(" "));
        return rest.isEmpty() ? "" : "with " + rest;
    }

    /// `policies check`.
    @Command(name = "check", description = "Reads a policy file and type-checks its conditions.")
    static final class Check implements Callable<Integer> {

        @ParentCommand PoliciesCommand policies;

        @Parameters(paramLabel = "FILE", description = "The policy's file; - for standard input.")
        String file;

        @Override
        public Integer call() {
            Console console = new Console(policies.main, policies.spec);
            Policy policy = MachineOptions.policy(file);
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>();
                tree.put("policy", policy.identity().expression());
                tree.put("ok", true);
                console.document(tree);
            } else {
                console.line("%s is in order.", file);
            }
            return ExitCode.DONE.number();
        }
    }
}
