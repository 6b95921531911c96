package trapline.engine.guest;

import java.util.List;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;

/// A number in a scenario: the same at each execution, or drawn anew.
///
/// @param least the number itself where it is constant
record Operand(long least, long most) {

    static Operand of(Node node) {
        if (!(node instanceof Node.Mapping)) {
            long number = node.number();
            return new Operand(number, number);
        }
        node.allow("a number", List.of("random"));
        List<Node> bounds = node.require("random").items();
        if (bounds.size() != 2) {
            throw node.error(Kind.SYNTAX, "expected random: [LEAST, MOST]");
        }
        long least = bounds.get(0).number();
        long most = bounds.get(1).number();
        if (Long.compareUnsigned(least, most) > 0) {
            throw node.error(Kind.SYNTAX, "expected random: [LEAST, MOST] with LEAST first");
        }
        return new Operand(least, most);
    }

    boolean constant() {
        return least == most;
    }

    long draw(SplitMix64 generator) {
        return constant() ? least : generator.between(least, most);
    }
}
