package trapline.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import trapline.replayer.cases.Answer;
import trapline.replayer.cases.Answer.Assumed;
import trapline.replayer.cases.Answer.Compared;
import trapline.replayer.cases.Answer.Recorded;
import trapline.replayer.cases.Answer.Sight;
import trapline.replayer.cases.Case.About;
import trapline.replayer.cases.Sentence;

/// An answer for the terminal.
final class CaseText {

    private static final int WIDTH = 100;
    private static final String INDENT = " ".repeat(11);

    private final StringBuilder text = new StringBuilder();
    private final LogAddress log;

    private CaseText(LogAddress log) {
        this.log = log;
    }

    static String of(Answer answer, LogAddress log) {
        CaseText text = new CaseText(log);
        text.print(answer);
        return text.text.toString();
    }

    private void print(Answer answer) {
        About about = answer.question().about();
        text.append(about.name())
                .append(about.thread().map(thread -> ", thread " + thread).orElse(""))
                .append(": ")
                .append(answer.verdict().text().toUpperCase(Locale.ROOT))
                .append('\n');
        paragraph("claim", about.claim());
        paragraph("asked", about.asked());
        paragraph("because", answer.because());
        Table counts = new Table("lr");
        answer.counts().forEach((name, number) -> counts.row(name, Sentence.number(number)));
        block("counts", counts);
        block("sessions", sessions(answer.sessions()));
        block("diffs", diffs(answer.diffs()));
        block("assumed", assumed(answer.assumed()));
        answer.sight().ifPresent(this::sight);
        paragraph("confirm", about.confirm());
        text.append('\n');
    }

    private static Table sessions(List<Recorded> sessions) {
        Table table = new Table("lllllr");
        sessions.forEach(session ->
                table.row(
                        session.name(),
                        session.session(),
                        session.guest(),
                        session.cpu(),
                        session.policy(),
                        Sentence.number(session.exits()) + " exits"));
        return table;
    }

    private Table diffs(List<Compared> diffs) {
        Table table = new Table("ll");
        diffs.forEach(diff -> table.row(diff.name(), withLog(diff.command())));
        return table;
    }

    private static Table assumed(List<Assumed> figures) {
        Table table = new Table("lll");
        figures.forEach(figure ->
                table.row(
                        figure.diff(),
                        "%s, %s to %s cycles"
                                .formatted(
                                        figure.figure(),
                                        Table.number(Math.round(figure.range().low())),
                                        Table.number(Math.round(figure.range().high()))),
                        breakEven(figure)));
        return table;
    }

    private static String breakEven(Assumed figure) {
        if (Double.isNaN(figure.breakEven())) {
            return "no value turns the comparison round";
        }
        return "both sides cost the same at %s%s"
                .formatted(
                        Sentence.number(figure.breakEven()),
                        figure.decides() ? ", within that range" : "");
    }

    private void sight(Sight sight) {
        paragraph(
                "event",
                "%svCPU %d, event %s, op %s: %s"
                        .formatted(
                                sight.side().equals("recorded") ? "" : sight.side() + ", ",
                                sight.place().vcpu(),
                                Table.number(sight.place().order()),
                                Table.number(sight.place().op()),
                                sight.text()));
        text.append(INDENT).append(withLog(sight.command())).append('\n');
    }

    private String withLog(String command) {
        return log.isDefault() ? command : command + " --log " + log.text();
    }

    private void block(String name, Table table) {
        String lines = table.toString();
        if (!lines.isEmpty()) {
            append(name, lines.lines().toList());
        }
    }

    private void paragraph(String name, String words) {
        if (!words.isEmpty()) {
            append(name, wrapped(words));
        }
    }

    private void append(String name, List<String> lines) {
        for (int i = 0; i < lines.size(); i++) {
            String margin = i == 0 ? String.format(Locale.ROOT, "  %-9s", name) : INDENT;
            text.append((margin + lines.get(i)).stripTrailing()).append('\n');
        }
    }

    private static List<String> wrapped(String words) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : words.split("\\s+")) {
            if (!line.isEmpty() && INDENT.length() + line.length() + 1 + word.length() > WIDTH) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
