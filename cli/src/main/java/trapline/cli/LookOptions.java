package trapline.cli;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;
import trapline.engine.text.Suggestion;
import trapline.replayer.Where;
import trapline.replayer.times.Dimension;
import trapline.replayer.times.Look;
import trapline.replayer.times.Rows.Order;

/// Which exits `stat` counts, and how it shows them.
final class LookOptions {

    /// Those that JSON always has.
    private static final Set<Dimension> ALWAYS =
            EnumSet.of(Dimension.REASON, Dimension.MSR, Dimension.PORT, Dimension.VCPU);

    private static final Set<Dimension> USUAL = EnumSet.complementOf(EnumSet.of(Dimension.RIP));

    @Option(
            names = "--by",
            paramLabel = "WHAT",
            split = ",",
            converter = DimensionConverter.class,
            description = {
                "What to group by: reason, msr, port, mmio (pages), cr, vector, hypercall, userspace"
                        + " (KVM_EXIT reasons), rip, vcpu.",
                "Default: all but rip"
            })
    List<Dimension> by;

    @Option(
            names = "--where",
            paramLabel = "CEL",
            description = "Only exits for which this condition holds, see below.")
    String where;

    @Option(names = "--vcpu", paramLabel = "N", description = "Only exits of this vCPU, from 0.")
    Integer vcpu;

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            converter = IntervalConverter.class,
            description =
                    "Also per time window of this length, like 100ms, 1s or 1m: exits by reason, or by"
                            + " what --by says.")
    Long interval;

    @Option(
            names = "--sort",
            paramLabel = "FIGURE",
            converter = OrderConverter.class,
            defaultValue = "count",
            description = {
                "The rows' order: count, time, mean, max or p99, the highest first, or name.",
                "Default: ${DEFAULT-VALUE}"
            })
    Order sort;

    @Option(
            names = "--top",
            paramLabel = "N",
            description = "Only the first N rows of each kind. Default: all")
    Integer top;

    @Option(
            names = "--histogram",
            description = "Show how the times of each row are distributed, in powers of two.")
    boolean histogram;

    Look look() {
        Set<Dimension> counted = EnumSet.copyOf(shown());
        counted.addAll(ALWAYS);
        return new Look(
                counted,
                Optional.ofNullable(where).map(Where::of),
                vcpu == null ? OptionalInt.empty() : OptionalInt.of(vcpu),
                interval == null ? 0 : interval,
                by == null ? EnumSet.of(Dimension.REASON) : shown(),
                histogram);
    }

    /// Those that text shows.
    Set<Dimension> shown() {
        return by == null ? USUAL : EnumSet.copyOf(by);
    }

    int rows() {
        return top == null ? Integer.MAX_VALUE : top;
    }

    static final class DimensionConverter implements ITypeConverter<Dimension> {
        @Override
        public Dimension convert(String text) {
            List<String> names = Stream.of(Dimension.values()).map(Dimension::text).toList();
            return Dimension.values()[place(text, names)];
        }
    }

    static final class OrderConverter implements ITypeConverter<Order> {
        @Override
        public Order convert(String text) {
            return Order.values()[place(text, Stream.of(Order.values()).map(Order::text).toList())];
        }
    }

    private static int place(String text, List<String> names) {
        int place = names.indexOf(text);
        if (place < 0) {
            throw new TypeConversionException(
                    "expected %s, found '%s'%s"
                            .formatted(String.join(", ", names), text, Suggestion.of(text, names)));
        }
        return place;
    }

    static final class IntervalConverter implements ITypeConverter<Long> {

        private static final Pattern TIME = Pattern.compile("([1-9][0-9]{0,8})(ns|us|ms|s|m|h)");

        @Override
        public Long convert(String text) {
            Matcher matcher = TIME.matcher(text.toLowerCase(Locale.ROOT));
            if (!matcher.matches()) {
                throw new TypeConversionException(
                        "expected a time like 100ms, 1s or 1m, found '" + text + "'");
            }
            return Long.parseLong(matcher.group(1)) * nanos(matcher.group(2));
        }

        private static long nanos(String unit) {
            return switch (unit) {
                case "ns" -> 1;
                case "us" -> 1_000;
                case "ms" -> 1_000_000;
                case "s" -> 1_000_000_000;
                case "m" -> 60_000_000_000L;
                default -> 3_600_000_000_000L;
            };
        }
    }
}
