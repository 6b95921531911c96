package trapline.replayer;

import com.google.common.primitives.UnsignedLong;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelValidationException;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.navigation.CelNavigableExpr;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import trapline.engine.event.Envelope;
import trapline.engine.state.Vendor;
import trapline.engine.text.CelMessage;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Place;
import trapline.engine.text.Suggestion;

/// A CEL condition over one event: `type`, `vcpu`, `order`, `seq`, `pcpu`, `tick`, `op`, `cause`, and the
/// event's own fields in `event`.
///
/// An event that lacks a field which the condition names does not fit.
public final class Where {

    private static final int LONGEST = 4096;

    private static final List<String> NUMBERS =
            List.of("order", "vcpu", "seq", "pcpu", "tick", "op", "cause");
    private static final List<String> VARIABLES =
            List.of("type", "order", "vcpu", "seq", "pcpu", "tick", "op", "cause", "event");

    private final String source;
    private final CelRuntime.Program program;

    private Where(String source, CelRuntime.Program program) {
        this.source = source;
        this.program = program;
    }

    /// The condition that an option asks for.
    public static Where of(String source) {
        return of(source, "--where", new Place("--where", 1, 1));
    }

    /// The condition that stands in a file.
    public static Where of(Node node) {
        Place at = node.place();
        boolean quoted = node instanceof Node.Scalar scalar && scalar.quoted();
        Place first = quoted ? new Place(at.file(), at.line(), at.column() + 1) : at;
        return of(node.text(), first.toString(), first);
    }

    /// @param place where it stands
    /// @param first where its first character does
    private static Where of(String source, String place, Place first) {
        if (source.length() > LONGEST) {
            throw new InputException(
                    Kind.TOO_LARGE, place, "at most %d characters".formatted(LONGEST));
        }
        try {
            var builder =
                    CelCompilerFactory.standardCelCompilerBuilder()
                            .setResultType(SimpleType.BOOL)
                            .setStandardMacros(CelStandardMacro.HAS)
                            .addVar("type", SimpleType.STRING)
                            .addVar("event", MapType.create(SimpleType.STRING, SimpleType.DYN));
            NUMBERS.forEach(number -> builder.addVar(number, SimpleType.INT));
            var tree = builder.build().compile(source).getAst();
            checkFields(tree, place);
            return new Where(
                    source, CelRuntimeFactory.plannerRuntimeBuilder().build().createProgram(tree));
        } catch (CelValidationException e) {
            throw CelMessage.of(e, source, first, VARIABLES);
        } catch (CelEvaluationException e) {
            throw new InputException(Kind.SYNTAX, place, e.getMessage());
        }
    }

    /// A field that no event has would only ever find nothing.
    private static void checkFields(CelAbstractSyntaxTree tree, String place) {
        Set<String> known = EventFields.names();
        CelNavigableAst.fromAst(tree)
                .getRoot()
                .allNodes()
                .map(CelNavigableExpr::expr)
                .filter(Where::isField)
                .map(expr -> expr.select().field())
                .filter(field -> !known.contains(field))
                .findFirst()
                .ifPresent(field -> {
                    throw new InputException(
                            Kind.UNKNOWN_NAME,
                            place,
                            "no event has a field '%s'%s"
                                    .formatted(field, Suggestion.orAll(field, "fields", known)));
                });
    }

    private static boolean isField(CelExpr expr) {
        if (expr.getKind() != CelExpr.ExprKind.Kind.SELECT) {
            return false;
        }
        CelExpr operand = expr.select().operand();
        return operand.getKind() == CelExpr.ExprKind.Kind.IDENT
                && operand.ident().name().equals("event");
    }

    public boolean holds(Vendor vendor, Envelope envelope) {
        Map<String, Object> variables = new HashMap<>(new EventFields(vendor).row(envelope));
        variables.put("event", plain(variables.get("event")));
        variables.remove("scope");
        variables.replaceAll((_, value) -> value instanceof Integer i ? (Object) (long) i : value);
        try {
            return (boolean) program.eval(variables);
        } catch (CelEvaluationException e) {
            return false;
        }
    }

    /// 64-bit values are unsigned numbers to a condition.
    private static Object plain(Object value) {
        return switch (value) {
            case Map<?, ?> map -> {
                Map<Object, Object> plain = new HashMap<>();
                map.forEach((key, field) -> plain.put(key, plain(field)));
                yield plain;
            }
            case EventFields.Hex hex -> UnsignedLong.fromLongBits(hex.value());
            default -> value;
        };
    }

    @Override
    public String toString() {
        return source;
    }
}
