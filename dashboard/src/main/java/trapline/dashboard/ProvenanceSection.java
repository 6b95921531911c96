package trapline.dashboard;

import java.nio.charset.StandardCharsets;
import java.util.SortedMap;
import java.util.TreeSet;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.CostProfile.Figure;
import trapline.engine.policy.Policy;
import trapline.replayer.DiffResult;
import trapline.schemas.BlobRef;
import trapline.schemas.Digest;

/// Where the numbers come from: the cost figures that were used, and the texts that ran.
final class ProvenanceSection {

    private final Html html;
    private final DiffResult diff;

    private ProvenanceSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
    }

    static void write(Html html, DiffResult diff) {
        new ProvenanceSection(html, diff).write();
    }

    private void write() {
        CostProfile costs = diff.costs();
        html.open("section", "id", "provenance").element("h2", "Where the numbers come from");
        html.open("p");
        html.text(
                "Counts are of events, and every event can be looked up. Cycles are a projection: count"
                        + " times figure, summed up; nothing was timed. Cost profile ");
        html.element("code", costs.name());
        html.text(costs.summary().isEmpty() ? ", in " : ": " + costs.summary() + "; in ");
        html.text(costs.unit() + ".").close();
        figures();
        texts();
        html.close();
    }

    private void figures() {
        SortedMap<String, Long> base = diff.base().projection().byFigure();
        SortedMap<String, Long> candidate = diff.candidate().projection().byFigure();
        TreeSet<String> used = new TreeSet<>(base.keySet());
        used.addAll(candidate.keySet());
        html.open("table", "class", "provenance");
        Cells.heads(
                html,
                "",
                "Figure used",
                "n",
                "base \u00d7",
                "n",
                "candidate \u00d7",
                "n",
                "low",
                "n",
                "typical",
                "n",
                "high",
                "",
                "",
                "",
                "Source");
        html.open("tbody");
        for (String name : used) {
            figure(name, base.getOrDefault(name, 0L), candidate.getOrDefault(name, 0L));
        }
        html.close().close();
    }

    private void figure(String name, long base, long candidate) {
        Figure figure = diff.costs().figure(name);
        html.open("tr").open("td").text(Figures.words(name)).text(" ");
        html.element("code", name, "class", "key").close();
        Cells.number(html, base);
        Cells.number(html, candidate);
        html.element("td", Numbers.figure(figure.range().low()), "class", "n");
        html.element("td", Numbers.figure(figure.range().typical()), "class", "n");
        html.element("td", Numbers.figure(figure.range().high()), "class", "n");
        html.open("td");
        Tags.origin(html, figure.assumed());
        html.close().element("td", figure.source()).close();
    }

    private void texts() {
        html.open("table", "class", "provenance");
        Cells.heads(html, "", "Text that ran", "n", "bytes", "", "SHA-256");
        html.open("tbody");
        for (BlobRef blob : diff.session().header().blobs()) {
            String name = blob.role().equals("policy") ? "policy, as recorded" : blob.role();
            text(name, blob.length(), blob.sha256());
        }
        policy("policy, base", diff.base().identity());
        policy("policy, candidate", diff.candidate().identity());
        html.close().close();
    }

    private void policy(String name, Policy.Identity policy) {
        byte[] bytes = policy.text().getBytes(StandardCharsets.UTF_8);
        text(name, bytes.length, Digest.of(bytes));
    }

    private void text(String name, long length, Digest digest) {
        html.open("tr").element("td", name);
        Cells.number(html, length);
        Cells.name(html, digest.toString());
        html.close();
    }
}
