package trapline.replayer.cases;

import dev.cel.common.CelFunctionDecl;
import dev.cel.common.CelOverloadDecl;
import dev.cel.common.types.CelType;
import dev.cel.common.types.ListType;
import dev.cel.common.types.SimpleType;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelFunctionBinding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import trapline.engine.text.Suggestion;

/// What expressions over results can call besides CEL's own functions.
final class Functions {

    /// `figure(DIFF, NAME)`: what a diff's comparison says of a cost profile's figure.
    static final String FIGURE = "figure";

    /// `broken(SESSION or DIFF.SIDE, RULE)`: how often an execution broke a safety rule.
    private static final String BROKEN = "broken";

    /// Of the whole numbers in a list.
    private static final String SUM = "sum";

    private static final String LEAST = "least";

    static final List<CelFunctionDecl> DECLARED =
            List.of(
                    declared(FIGURE, SimpleType.DYN, SimpleType.DYN, SimpleType.STRING),
                    declared(BROKEN, SimpleType.INT, SimpleType.DYN, SimpleType.STRING),
                    declared(SUM, SimpleType.INT, ListType.create(SimpleType.DYN)),
                    declared(LEAST, SimpleType.INT, ListType.create(SimpleType.DYN)));

    static final List<CelFunctionBinding> BOUND = bound();

    private Functions() {}

    private static CelFunctionDecl declared(String name, CelType result, CelType... arguments) {
        return CelFunctionDecl.newFunctionDeclaration(
                name,
                CelOverloadDecl.newGlobalOverload(overload(name), result, List.of(arguments)));
    }

    private static String overload(String name) {
        return name + "_of";
    }

    private static List<CelFunctionBinding> bound() {
        List<CelFunctionBinding> bound = new ArrayList<>();
        bound.addAll(
                CelFunctionBinding.fromOverloads(
                        FIGURE,
                        CelFunctionBinding.from(
                                overload(FIGURE), Map.class, String.class, Functions::figure)));
        bound.addAll(
                CelFunctionBinding.fromOverloads(
                        BROKEN,
                        CelFunctionBinding.from(
                                overload(BROKEN), Map.class, String.class, Functions::broken)));
        bound.addAll(
                CelFunctionBinding.fromOverloads(
                        SUM,
                        CelFunctionBinding.from(
                                overload(SUM), List.class, list -> numbers(list).sum())));
        bound.addAll(
                CelFunctionBinding.fromOverloads(
                        LEAST,
                        CelFunctionBinding.from(
                                overload(LEAST),
                                List.class,
                                list -> numbers(list).min().orElse(0))));
        return List.copyOf(bound);
    }

    private static LongStream numbers(List<?> list) {
        return list.stream().mapToLong(number -> ((Number) number).longValue());
    }

    private static Object figure(Map<?, ?> diff, String name) throws CelEvaluationException {
        if (diff.get("comparison") instanceof Map<?, ?> comparison
                && comparison.get("sensitivities") instanceof List<?> rows) {
            for (Object row : rows) {
                if (((Map<?, ?>) row).get("figure").equals(name)) {
                    return row;
                }
            }
        }
        throw new CelEvaluationException(
                "no side of the diff uses the figure '%s' more often".formatted(name));
    }

    private static Object broken(Map<?, ?> execution, String rule) throws CelEvaluationException {
        if (!CaseReader.RULES.contains(rule)) {
            throw new CelEvaluationException(
                    "unknown rule '%s'%s"
                            .formatted(rule, Suggestion.orAll(rule, "rules", CaseReader.RULES)));
        }
        if (!(execution.get("violations") instanceof List<?> violations)) {
            throw new CelEvaluationException("only a session or a diff's side breaks rules");
        }
        return violations.stream()
                .map(violation -> (Map<?, ?>) violation)
                .filter(violation -> violation.get("rule").equals(rule))
                .mapToLong(violation -> (Long) violation.get("count"))
                .sum();
    }
}
