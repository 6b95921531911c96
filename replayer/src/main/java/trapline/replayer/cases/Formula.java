package trapline.replayer.cases;

import com.google.common.primitives.UnsignedLong;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import dev.cel.common.types.CelType;
import dev.cel.common.types.SimpleType;
import dev.cel.common.values.NullValue;
import dev.cel.compiler.CelCompilerBuilder;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import trapline.engine.text.CelMessage;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Place;
import trapline.replayer.EventFields;

/// A CEL expression over results as JSON has them: a number, or a condition.
///
/// Its cost is bounded by its length and by how often its comprehensions may go round.
public final class Formula {

    private static final int LONGEST = 4096;
    private static final int MOST_ITERATIONS = 100_000;

    private static final CelOptions OPTIONS =
            CelOptions.current()
                    .enableHeterogeneousNumericComparisons(true)
                    .comprehensionMaxIterations(MOST_ITERATIONS)
                    .build();

    private final String source;
    private final Place place;
    private final CelRuntime.Program program;
    private final Set<String> priced;

    private Formula(String source, Place place, CelRuntime.Program program, Set<String> priced) {
        this.source = source;
        this.place = place;
        this.program = program;
        this.priced = priced;
    }

    /// @param variables the names that it may use
    static Formula number(Node node, Set<String> variables) {
        return of(node, variables, SimpleType.DYN);
    }

    static Formula condition(Node node, Set<String> variables) {
        return of(node, variables, SimpleType.BOOL);
    }

    private static Formula of(Node node, Set<String> variables, CelType type) {
        String source = node.text();
        if (source.length() > LONGEST) {
            throw node.error(Kind.TOO_LARGE, "an expression has at most %d characters", LONGEST);
        }
        boolean quoted = node instanceof Node.Scalar scalar && scalar.quoted();
        Place at = node.place();
        Place first = quoted ? new Place(at.file(), at.line(), at.column() + 1) : at;
        try {
            CelCompilerBuilder builder =
                    CelCompilerFactory.standardCelCompilerBuilder()
                            .setOptions(OPTIONS)
                            .setResultType(type)
                            .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
                            .addFunctionDeclarations(Functions.DECLARED);
            variables.forEach(name -> builder.addVar(name, SimpleType.DYN));
            CelAbstractSyntaxTree tree = builder.build().compile(source).getAst();
            CelRuntime.Program program =
                    CelRuntimeFactory.plannerRuntimeBuilder()
                            .setOptions(OPTIONS)
                            .addFunctionBindings(Functions.BOUND)
                            .build()
                            .createProgram(tree);
            return new Formula(source, first, program, priced(tree));
        } catch (CelValidationException e) {
            throw CelMessage.of(e, source, first, variables);
        } catch (CelEvaluationException e) {
            throw new InputException(Kind.SYNTAX, first.toString(), e.getMessage());
        }
    }

    /// The variables of whose cycles or comparison it makes use.
    private static Set<String> priced(CelAbstractSyntaxTree tree) {
        Set<String> priced = new TreeSet<>();
        CelNavigableAst.fromAst(tree)
                .getRoot()
                .allNodes()
                .map(CelNavigableExpr::expr)
                .filter(Formula::isPrice)
                .forEach(expr -> priced.add(root(expr)));
        return priced;
    }

    private static boolean isPrice(CelExpr expr) {
        return switch (expr.getKind()) {
            case SELECT -> Set.of("cycles", "comparison").contains(expr.select().field());
            case CALL -> expr.call().function().equals(Functions.FIGURE);
            default -> false;
        };
    }

    private static String root(CelExpr expr) {
        CelExpr inner =
                expr.getKind() == CelExpr.ExprKind.Kind.CALL ? expr.call().args().getFirst() : expr;
        while (inner.getKind() == CelExpr.ExprKind.Kind.SELECT) {
            inner = inner.select().operand();
        }
        return inner.getKind() == CelExpr.ExprKind.Kind.IDENT ? inner.ident().name() : "";
    }

    /// The diffs on whose cost profile its value rests.
    Set<String> priced() {
        return priced;
    }

    Number number(Map<String, Object> variables) {
        return switch (value(variables)) {
            case Long number -> number;
            case Double real when Double.isFinite(real) -> real;
            case Double real -> throw wrong("a number, found " + real);
            case UnsignedLong number -> number.longValue();
            case Object other -> throw wrong("a number, found " + kind(other));
        };
    }

    boolean holds(Map<String, Object> variables) {
        if (value(variables) instanceof Boolean holds) {
            return holds;
        }
        throw wrong("true or false");
    }

    private InputException wrong(String found) {
        return new InputException(Kind.SYNTAX, place.toString(), "expected " + found);
    }

    private static String kind(Object value) {
        return switch (value) {
            case Boolean flag -> flag.toString();
            case String text -> "'" + Node.abridged(text) + "'";
            case Map<?, ?> _ -> "a mapping";
            case List<?> _ -> "a list";
            default -> "nothing";
        };
    }

    private Object value(Map<String, Object> variables) {
        try {
            return program.eval(variables);
        } catch (CelEvaluationException e) {
            String why = e.getMessage() == null ? "" : e.getMessage();
            throw new InputException(
                    Kind.NOT_APPLICABLE,
                    place.toString(),
                    "cannot be computed: "
                            + why.replaceFirst("^evaluation error at [^:]*:\\d+: ", ""));
        }
    }

    /// A result's tree as expressions see it: 64-bit values are unsigned numbers.
    static Object plain(Object value) {
        return switch (value) {
            case null -> NullValue.NULL_VALUE;
            case Map<?, ?> map -> {
                Map<Object, Object> plain = new HashMap<>();
                map.forEach((key, item) -> plain.put(key, plain(item)));
                yield plain;
            }
            case List<?> list -> list.stream().map(Formula::plain).toList();
            case EventFields.Hex hex -> UnsignedLong.fromLongBits(hex.value());
            case Integer number -> (Object) (long) number;
            default -> value;
        };
    }

    @Override
    public String toString() {
        return source;
    }
}
