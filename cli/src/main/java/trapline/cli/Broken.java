package trapline.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.engine.rule.Rules;
import trapline.engine.rule.Violation;

/// Tells which safety rules an execution broke: a line for each.
final class Broken {

    private Broken() {}

    static void note(List<Violation> violations, Console console) {
        SequencedMap<Rules.Name, Integer> ways = new LinkedHashMap<>();
        violations.forEach(violation -> ways.merge(violation.rule(), 1, Integer::sum));
        ways.forEach((rule, count) ->
                violations.stream()
                        .filter(violation -> violation.rule() == rule)
                        .findFirst()
                        .ifPresent(first ->
                                console.note(
                                        "safety rule %s%s",
                                        first.describe(),
                                        count == 1
                                                ? ""
                                                : "; and in %s other ways"
                                                        .formatted(Table.number(count - 1)))));
    }
}
