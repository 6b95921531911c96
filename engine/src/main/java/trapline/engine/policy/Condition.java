package trapline.engine.policy;

import com.google.common.primitives.UnsignedLong;
import dev.cel.checker.CelStandardDeclarations;
import dev.cel.checker.CelStandardDeclarations.StandardFunction;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.types.CelType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerBuilder;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.text.CelMessage;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Place;
import trapline.engine.text.Node.Scalar;

/// A CEL expression over [Variables] that is true or false.
///
/// Type-checked where it is read, compiled where it is first needed. It can read nothing but its
/// variables and cannot loop.
public final class Condition {

    private static final int LONGEST = 4096;
    private static final int DEEPEST = 64;
    private static final int COSTLIEST = 256;

    /// Operators and conversions between numbers: all take as long as their operands are, which stand in the source.
    private static final List<StandardFunction> FUNCTIONS =
            List.of(
                    StandardFunction.CONDITIONAL,
                    StandardFunction.LOGICAL_NOT,
                    StandardFunction.LOGICAL_OR,
                    StandardFunction.LOGICAL_AND,
                    StandardFunction.EQUALS,
                    StandardFunction.NOT_EQUALS,
                    StandardFunction.LESS,
                    StandardFunction.LESS_EQUALS,
                    StandardFunction.GREATER,
                    StandardFunction.GREATER_EQUALS,
                    StandardFunction.ADD,
                    StandardFunction.SUBTRACT,
                    StandardFunction.MULTIPLY,
                    StandardFunction.DIVIDE,
                    StandardFunction.MODULO,
                    StandardFunction.NEGATE,
                    StandardFunction.IN,
                    StandardFunction.INT,
                    StandardFunction.UINT);

    private static final String ONLY = "; a condition has operators, int() and uint() only";

    private final Node node;
    private final String source;
    private CelRuntime.Program program;

    private Condition(Node node) {
        this.node = node;
        source = node.text();
    }

    /// The condition that never holds.
    public static Condition never() {
        return new Condition(new Scalar(new Place("", 0, 0), "false", false));
    }

    /// The condition that stands in a policy file.
    public static Condition of(Node node) {
        String source = node.text();
        if (source.length() > LONGEST) {
            throw node.error(Kind.TOO_LARGE, "a condition has at most %d characters", LONGEST);
        }
        return new Condition(node);
    }

    public boolean isNever() {
        return source.equals("false");
    }

    public String source() {
        return source;
    }

    /// Compiles and type-checks it now.
    public void check() {
        if (!constant()) {
            program();
        }
    }

    public boolean holds(Variables variables) {
        if (constant()) {
            return source.equals("true");
        }
        try {
            return (boolean) program().eval(name -> value(name, variables));
        } catch (CelEvaluationException e) {
            throw new InputException(
                    Kind.NOT_APPLICABLE, place(0).toString(), "condition fails: " + e.getMessage());
        }
    }

    private boolean constant() {
        return source.equals("true") || source.equals("false");
    }

    private CelRuntime.Program program() {
        if (program == null) {
            program = compile();
        }
        return program;
    }

    private static Optional<Object> value(String name, Variables variables) {
        return switch (name) {
            case "value" -> unsigned(variables.value());
            case "host_initiated" -> Optional.of(variables.hostInitiated());
            case "host.eibrs" -> Optional.of(variables.hostEibrs());
            case "host.vmx" -> Optional.of(variables.hostVmx());
            case "host.spec_ctrl" -> unsigned(variables.hostSpecCtrl());
            case "guest.ibrs_all" -> Optional.of(variables.guestIbrsAll());
            case "guest.autoibrs" -> Optional.of(variables.guestAutoIbrs());
            case "vcpu.spec_ctrl" -> unsigned(variables.vcpuSpecCtrl());
            case "vcpu.exits" -> Optional.of(variables.vcpuExits());
            case "vcpu.quick_writes" -> Optional.of(variables.vcpuQuickWrites());
            case "vcpu.exits_since" -> Optional.of(variables.vcpuExitsSince());
            default -> Optional.empty();
        };
    }

    private static Optional<Object> unsigned(long value) {
        return Optional.of(UnsignedLong.fromLongBits(value));
    }

    /// The variables and their types.
    private static SortedMap<String, CelType> types() {
        SortedMap<String, CelType> types = new TreeMap<>();
        types.put("value", SimpleType.UINT);
        types.put("host_initiated", SimpleType.BOOL);
        types.put("host.eibrs", SimpleType.BOOL);
        types.put("host.vmx", SimpleType.BOOL);
        types.put("host.spec_ctrl", SimpleType.UINT);
        types.put("guest.ibrs_all", SimpleType.BOOL);
        types.put("guest.autoibrs", SimpleType.BOOL);
        types.put("vcpu.spec_ctrl", SimpleType.UINT);
        types.put("vcpu.exits", SimpleType.INT);
        types.put("vcpu.quick_writes", SimpleType.INT);
        types.put("vcpu.exits_since", SimpleType.INT);
        return types;
    }

    private CelRuntime.Program compile() {
        CelCompilerBuilder builder =
                CelCompilerFactory.standardCelCompilerBuilder()
                        .setOptions(CelOptions.current().maxParseRecursionDepth(DEEPEST).build())
                        .setResultType(SimpleType.BOOL)
                        .setStandardEnvironmentEnabled(false)
                        .setStandardDeclarations(
                                CelStandardDeclarations.newBuilder()
                                        .includeFunctions(FUNCTIONS)
                                        .build())
                        .setStandardMacros(new CelStandardMacro[0]);
        types().forEach(builder::addVar);
        CelCompiler compiler = builder.build();
        try {
            CelAbstractSyntaxTree tree = compiler.compile(source).getAst();
            checkCost(CelNavigableAst.fromAst(tree));
            return CelRuntimeFactory.plannerRuntimeBuilder().build().createProgram(tree);
        } catch (CelValidationException e) {
            throw CelMessage.of(e, source, this::place, types().keySet(), ONLY);
        } catch (CelEvaluationException e) {
            throw new InputException(Kind.SYNTAX, place(0).toString(), e.getMessage());
        }
    }

    private Place place(int offset) {
        return node instanceof Scalar scalar ? scalar.place(offset) : node.place();
    }

    /// Nothing loops, so that no part is evaluated twice: what it can cost is how many parts there are.
    private void checkCost(CelNavigableAst tree) {
        long cost = tree.getRoot().allNodes().count();
        if (cost > COSTLIEST) {
            throw new InputException(
                    Kind.TOO_LARGE,
                    place(0).toString(),
                    "a condition costs at most %d, one for each name, constant and operation; this one costs %d"
                            .formatted(COSTLIEST, cost));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Condition that && source.equals(that.source);
    }

    @Override
    public int hashCode() {
        return source.hashCode();
    }

    @Override
    public String toString() {
        return source;
    }
}
