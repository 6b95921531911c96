package trapline.engine.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Scalar;

/// The op `host-filter`: an MSR filter as userspace hands it to KVM, and of which failures it wants to be told.
///
/// What KVM refuses is refused here, with KVM's error (FACTS 2.6).
final class HostFilter {

    private static final int MOST_RANGES = 16;
    private static final int READ = 1;
    private static final int WRITE = 2;

    private final List<MsrFilterRange> ranges = new ArrayList<>();

    private HostFilter() {}

    /// The ioctls it comes to, in order.
    static List<InputEvent> requests(Node op) {
        op.allow("host-filter", List.of("default", "deny", "allow", "ranges", "user-exits"));
        if (op.entries().isEmpty()) {
            throw op.expected("'default', 'deny', 'allow', 'ranges' or 'user-exits'");
        }
        List<InputEvent> requests = new ArrayList<>();
        if (op.find("user-exits").isPresent()) {
            requests.add(new MsrExitsRequested(reasons(op.require("user-exits"))));
        }
        boolean onlyExits = op.entries().size() == 1 && !requests.isEmpty();
        if (!onlyExits) {
            requests.add(new MsrFilterRequested(new HostFilter().filter(op)));
        }
        return requests;
    }

    private static int reasons(Node list) {
        int reasons = 0;
        for (Node item : list.oneOrMore()) {
            String name = item.oneOf(List.of("inval", "unknown", "filter"), "reason");
            reasons |=
                    switch (name) {
                        case "inval" -> MsrExitReason.INVAL.bit();
                        case "unknown" -> MsrExitReason.UNKNOWN.bit();
                        default -> MsrExitReason.FILTER.bit();
                    };
        }
        return reasons;
    }

    /// Its ranges stand in the order of the file, whichever key they are under.
    private MsrFilter filter(Node op) {
        boolean denies = op.find("default").map(HostFilter::deniesByDefault).orElse(false);
        for (Map.Entry<String, Entry> entry : op.entries().entrySet()) {
            Node value = entry.getValue().value();
            switch (entry.getKey()) {
                case "deny" -> value.oneOrMore().forEach(item -> shorthand(item, false));
                case "allow" -> value.oneOrMore().forEach(item -> shorthand(item, true));
                case "ranges" -> value.items().forEach(this::range);
                default -> {}
            }
        }
        if (denies && ranges.stream().allMatch(range -> range.count() == 0)) {
            throw refused(op, "everything is denied by default, and there is no range");
        }
        return new MsrFilter(denies, ranges);
    }

    /// A word, or the flags' number.
    private static boolean deniesByDefault(Node node) {
        if (isNumber(node)) {
            long flags = node.number();
            if (flags != 0 && flags != 1) {
                throw refused(node, "unknown flags %s", node.text());
            }
            return flags == 1;
        }
        return node.oneOf(List.of("allow", "deny"), "default").equals("deny");
    }

    private static boolean isNumber(Node node) {
        return node instanceof Scalar scalar && scalar.text().matches("-?[0-9].*");
    }

    /// An MSR, or MSRs in a row, that are all allowed or all denied.
    private void shorthand(Node item, boolean allowed) {
        Node msr = item;
        int count = 1;
        int access = READ | WRITE;
        if (!(item instanceof Scalar)) {
            item.allow("a range of MSRs", List.of("msr", "count", "access"));
            msr = item.require("msr");
            count = count(item, 1);
            access = access(item, count);
        }
        add(item, ScenarioCompiler.msr(msr), count, access, _ -> {}, allowed);
    }

    /// As in `struct kvm_msr_filter_range`: a bit for each MSR, by the list of those that are set or of those that are not.
    private void range(Node item) {
        item.allow("a range", List.of("base", "count", "access", "allow", "deny"));
        int base = ScenarioCompiler.msr(item.require("base"));
        int count = count(item, 1);
        Optional<Node> allow = item.find("allow");
        Optional<Node> deny = item.find("deny");
        if (allow.isPresent() && deny.isPresent()) {
            throw item.error(Kind.SYNTAX, "expected either 'allow' or 'deny'");
        }
        Node listed = allow.or(() -> deny).orElse(new Node.Sequence(item.place(), List.of()));
        Consumer<long[]> flips = bits -> flip(listed, base, count, bits);
        add(item, base, count, access(item, count), flips, deny.isPresent());
    }

    private static void flip(Node listed, int base, int count, long[] bits) {
        if (listed instanceof Scalar scalar && scalar.text().equals("all")) {
            for (int at = 0; at < count; at++) {
                bits[at >>> 6] ^= 1L << (at & 63);
            }
            return;
        }
        for (Node item : listed.oneOrMore()) {
            long at =
                    Integer.toUnsignedLong(ScenarioCompiler.msr(item))
                            - Integer.toUnsignedLong(base);
            if (at < 0 || at >= count) {
                throw item.error(Kind.NOT_APPLICABLE, "%s is not in the range", item.text());
            }
            bits[(int) at >>> 6] ^= 1L << (at & 63);
        }
    }

    private void add(
            Node item,
            int base,
            int count,
            int access,
            Consumer<long[]> flips,
            boolean allowedUnlessListed) {
        if (ranges.size() == MOST_RANGES) {
            throw refused(item, "more than %d ranges", MOST_RANGES);
        }
        long[] bits = new long[MsrFilterRange.words(count)];
        if (allowedUnlessListed) {
            for (int at = 0; at < count; at++) {
                bits[at >>> 6] |= 1L << (at & 63);
            }
        }
        flips.accept(bits);
        ranges.add(
                new MsrFilterRange((access & READ) != 0, (access & WRITE) != 0, base, count, bits));
    }

    private static int count(Node item, int otherwise) {
        Optional<Node> count = item.find("count");
        if (count.isEmpty()) {
            return otherwise;
        }
        long number = count.get().number(0, 0xffff_ffffL);
        if (number > MsrFilterRange.MOST) {
            throw refused(count.get(), "more than %d MSRs in a range", MsrFilterRange.MOST);
        }
        return (int) number;
    }

    /// Kinds of access, or the flags' number; KVM does not look at them where there is no MSR.
    private static int access(Node item, int count) {
        Optional<Node> access = item.find("access");
        if (access.isEmpty()) {
            return READ | WRITE;
        }
        Node node = access.get();
        if (isNumber(node)) {
            long flags = node.number();
            if (count != 0 && (flags == 0 || (flags & ~(READ | WRITE)) != 0)) {
                throw refused(
                        node, flags == 0 ? "a range of no access" : "unknown flags " + node.text());
            }
            return (int) flags & (READ | WRITE);
        }
        return switch (node.oneOf(List.of("r", "w", "rw"), "kind of access")) {
            case "r" -> READ;
            case "w" -> WRITE;
            default -> READ | WRITE;
        };
    }

    private static InputException refused(Node node, String why, Object... arguments) {
        return node.error(
                Kind.NOT_APPLICABLE,
                "KVM refuses this filter (EINVAL): %s",
                String.format(java.util.Locale.ROOT, why, arguments));
    }
}
