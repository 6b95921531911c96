package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import trapline.engine.rule.Rules;

/// The different ways in which a session broke rules, by numbers from 0 on.
final class Ways {

    /// A message may have a value in it: further ones of a vCPU are told together.
    static final int MOST = 1000;

    static final String OTHER = "in other ways";

    private final Map<Way, Integer> numbers = new HashMap<>();
    private final List<Way> all = new ArrayList<>();

    record Way(Rules.Name rule, int vcpu, String message) {}

    int number(Rules.Name rule, int vcpu, String message) {
        Way way = new Way(rule, vcpu, message);
        Integer known = numbers.get(way);
        if (known != null) {
            return known;
        }
        return numbers.computeIfAbsent(
                all.size() < MOST ? way : new Way(rule, vcpu, OTHER),
                added -> {
                    all.add(added);
                    return all.size() - 1;
                });
    }

    Way of(int number) {
        return all.get(number);
    }
}
