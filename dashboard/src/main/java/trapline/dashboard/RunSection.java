package trapline.dashboard;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.policy.PolicyFields;
import trapline.engine.policy.PolicyFields.Difference;
import trapline.engine.sim.Ingredients;
import trapline.engine.state.Vendor;
import trapline.replayer.DiffResult;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.SessionHeader;

/// What ran, on what, and in what the two policies differ.
final class RunSection {

    private static final int MOST_AT_ONCE = 12;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final Html html;
    private final DiffResult diff;

    private RunSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
    }

    static void write(Html html, DiffResult diff) {
        new RunSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "run").element("h2", "What ran");
        html.open("dl", "class", "facts");
        facts();
        html.close();
        html.element("h3", "Policies");
        policies();
        differences();
        html.close();
    }

    private void facts() {
        CatalogueEntry entry = diff.session().entry();
        SessionHeader header = diff.session().header();
        fact("Session", header.session());
        fact("Guest", header.guest().name());
        fact("Kind of guest", lower(header.guest().kind()));
        fact("Host platform", header.machine().platform());
        fact(
                "CPUs",
                "%s on %s"
                        .formatted(
                                Numbers.plural(header.machine().vcpus(), "vCPU"),
                                Numbers.plural(header.machine().pcpus(), "pCPU")));
        fact("Guest ops", Numbers.count(diff.base().tally().guestOps()));
        fact("Seed", Long.toString(header.guest().seed()));
        fact("Recorded under", header.policy());
        fact("Recorded", TIME.format(Instant.ofEpochMilli(header.createdMillis())));
        fact("Recorded by", "trapline %s".formatted(header.versions().program()));
        fact("Model", model(header.versions().model()));
        fact("Status", lower(entry.status()));
        header.parent().ifPresent(parent -> fact("Replay of", parent));
        fact("Cost profile", diff.costs().name());
    }

    private static String model(int recorded) {
        return recorded == Ingredients.MODEL_VERSION
                ? "version " + recorded
                : "version %d, compared by %d".formatted(recorded, Ingredients.MODEL_VERSION);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private void fact(String name, String value) {
        html.open("div").element("dt", name).element("dd", value).close();
    }

    private void policies() {
        html.open("table");
        Cells.heads(html, "", "", "", "Policy", "", "What it stands for");
        html.open("tbody");
        policy("base", diff.base().identity());
        policy("candidate", diff.candidate().identity());
        html.close().close();
    }

    private void policy(String side, Policy.Identity policy) {
        html.open("tr").element("th", side).element("td", policy.expression(), "class", "id");
        html.open("td").text(policy.summary());
        String source = PolicyFields.of(policy).getOrDefault("source", "");
        html.text(source.isEmpty() ? "" : " (" + source + ")");
        policy.chosen().forEach(this::variant);
        html.close().close();
    }

    /// What a built-in variant that was chosen says of itself.
    private void variant(Policy.Choice choice) {
        Policies.find(choice)
                .ifPresent(said -> {
                    html.text("; ").element("code", choice.toString());
                    html.text(
                            ": %s (%s; %s)"
                                    .formatted(
                                            said.require("summary").text(),
                                            said.require("status").text(),
                                            said.require("source").text()));
                });
    }

    /// Fields of the other vendor's code cannot matter here, and long lists wait to be opened.
    private void differences() {
        Map<Boolean, List<Difference>> fields =
                PolicyFields.differences(diff.base().identity(), diff.candidate().identity())
                        .stream()
                        .collect(Collectors.partitioningBy(this::matters));
        List<Difference> mattering = fields.get(true);
        if (mattering.isEmpty()) {
            html.element("p", "No field that matters on this host differs.");
        } else if (mattering.size() <= MOST_AT_ONCE) {
            table(mattering);
        } else {
            folded("%d fields differ".formatted(mattering.size()), mattering);
        }
        if (!fields.get(false).isEmpty()) {
            String noun = fields.get(false).size() == 1 ? "field" : "fields";
            folded(
                    "%d more %s of the other vendor's code"
                            .formatted(fields.get(false).size(), noun),
                    fields.get(false));
        }
    }

    private boolean matters(Difference field) {
        String other = diff.session().vendor() == Vendor.VMX ? "svm" : "vmx";
        return !Arrays.asList(field.field().split("[.-]")).contains(other);
    }

    private void folded(String summary, List<Difference> fields) {
        html.open("details").element("summary", summary);
        table(fields);
        html.close();
    }

    private void table(List<Difference> fields) {
        html.open("table", "class", "fields");
        Cells.heads(html, "", "Field that differs", "", "base", "", "candidate");
        html.open("tbody");
        for (Difference field : fields) {
            html.open("tr");
            Cells.name(html, field.field());
            value(field.base(), field.candidate());
            value(field.candidate(), field.base());
            html.close();
        }
        html.close().close();
    }

    /// Of a list only what the other side lacks, of anything else all.
    private void value(String value, String other) {
        Set<String> items = items(value);
        Set<String> others = items(other);
        if (items.size() + others.size() < 8 || !isList(value) || !isList(other)) {
            html.element("td", value.isEmpty() ? "\u2014" : value, "class", "id");
            return;
        }
        long same = items.stream().filter(others::contains).count();
        String own =
                items.stream()
                        .filter(item -> !others.contains(item))
                        .collect(Collectors.joining(" "));
        html.open("td");
        html.element("span", own, "class", "id");
        html.element("span", (own.isEmpty() ? "" : " and ") + same + " more", "class", "muted");
        html.close();
    }

    private static Set<String> items(String value) {
        return new LinkedHashSet<>(Arrays.asList(value.split(" ")));
    }

    /// Lists are of names; conditions have operators between blanks.
    private static boolean isList(String value) {
        return value.matches("[A-Za-z0-9_:. -]*");
    }
}
