package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platforms;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.replayer.DiffResult;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.GuestKind;

/// The command lines that give this page again.
final class ReproduceSection {

    private final Html html;
    private final DiffResult diff;
    private final SessionHeader header;

    private ReproduceSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        header = diff.session().header();
    }

    static void write(Html html, DiffResult diff) {
        new ReproduceSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "reproduce").element("h2", "How to reproduce");
        html.element("p", "From the recorded session, byte for byte:");
        html.element("pre", diff(header.session()));
        html.element("p", "From nothing; the seed makes it the same run:");
        html.element("pre", record() + "\n" + diff("last"));
        List<String> files = files();
        if (!files.isEmpty()) {
            html.open("p").text("Not built in, so files to be named by their paths: ");
            html.element("code", String.join(", ", files));
            html.text(". The texts they gave have the SHA-256 above.").close();
        }
        html.close();
    }

    private String diff(String session) {
        List<String> words = new ArrayList<>(List.of("diff", session));
        words.addAll(List.of("--base", diff.base().policy()));
        words.addAll(List.of("--candidate", diff.candidate().policy()));
        diff.trace()
                .ifPresent(trace ->
                        words.addAll(
                                List.of(
                                        "--as",
                                        trace.fidelity().as(),
                                        "--cpu",
                                        trace.fidelity().cpu())));
        words.addAll(List.of("--cost", diff.costs().name(), "--html", "report.html"));
        return Shell.line(words.toArray(String[]::new));
    }

    private String record() {
        if (diff.session().imported()) {
            return Shell.line("import", header.guest().name());
        }
        if (header.parent().isPresent() && !isOfImported(header.parent().get())) {
            return Shell.line(
                    "replay", header.parent().get(), "--policy", header.policy(), "--save");
        }
        String guest = header.parent().orElse(header.guest().name());
        List<String> words = new ArrayList<>(List.of("record", "--guest", guest));
        words.addAll(List.of("--cpu", header.machine().platform(), "--policy", header.policy()));
        if (header.guest().kind() == GuestKind.SCENARIO) {
            words.addAll(List.of("--vcpus", Integer.toString(header.machine().vcpus())));
        }
        words.addAll(List.of("--seed", Long.toString(header.guest().seed())));
        return Shell.line(words.toArray(String[]::new));
    }

    /// Whether the session that this one is from is a trace, whose ops are recorded as a guest's.
    private boolean isOfImported(String parent) {
        return header.guest().kind() == GuestKind.TRACE
                && diff.session().parts().guestText().startsWith("imported session " + parent);
    }

    /// What in the command lines only its user has.
    private List<String> files() {
        List<String> files = new ArrayList<>();
        if (!isBuiltInGuest()) {
            files.add(header.guest().name());
        }
        add(files, header.machine().platform(), Platforms.names());
        add(files, header.policy(), Policies.bases());
        add(files, diff.base().policy(), Policies.bases());
        add(files, diff.candidate().policy(), Policies.bases());
        add(files, diff.costs().name(), CostProfile.builtIn());
        return files;
    }

    private static void add(List<String> files, String expression, List<String> builtIn) {
        String name = expression.split(",", -1)[0].strip();
        if (!builtIn.contains(name) && !files.contains(name)) {
            files.add(name);
        }
    }

    private boolean isBuiltInGuest() {
        String name = header.guest().name();
        return GuestFile.builtIn().contains(name)
                && GuestFile.find(name, _ -> Optional.empty())
                        .text()
                        .equals(diff.session().parts().guestText());
    }
}
