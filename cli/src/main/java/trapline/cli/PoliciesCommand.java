package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
                table.row(field.field(), field.base(), field.candidate());
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
                console.document(Map.of("policy", policy.identity().expression(), "ok", true));
            } else {
                console.line("%s is in order.", file);
            }
            return ExitCode.DONE.number();
        }
    }
}
