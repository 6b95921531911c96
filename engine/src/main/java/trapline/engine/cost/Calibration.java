package trapline.engine.cost;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import trapline.engine.cost.CostProfile.Figure;
import trapline.engine.cost.UnitTestOutput.Measured;

/// A cost profile out of measurements on one machine, over a base that has what they do not tell.
///
/// A test measures an exit with its handler; no test tells them apart. The cheapest exit is split as the base
/// splits one, and what others cost more is their handlers'. What KVM does at every exit besides, like switching
/// SPEC_CTRL, is in the handlers then.
public final class Calibration {

    /// The tests that measure an exit which the kernel handles by itself, with its reason on VMX and on SVM.
    private static final List<Handled> HANDLED =
            List.of(
                    new Handled("cpuid", "CPUID", "cpuid"),
                    new Handled("vmcall", "VMCALL", "vmmcall"),
                    new Handled("inl_from_kernel", "IO_INSTRUCTION", "io"),
                    new Handled("wr_tsc_adjust_msr", "MSR_WRITE", "msr"),
                    new Handled("rd_tsc_adjust_msr", "MSR_READ", "msr"));

    private record Handled(String test, String vmx, String svm) {}

    private final UnitTestOutput output;
    private final String file;
    private final CostProfile base;
    private final boolean svm;
    private final Map<String, Figure> figures;
    private final Set<String> used = new LinkedHashSet<>();
    private final Set<String> changed = new LinkedHashSet<>();

    private Calibration(UnitTestOutput output, String file, CostProfile base) {
        this.output = output;
        this.file = file;
        this.base = base;
        svm = base.figure("vmload").range().high() > 0;
        figures = new TreeMap<>(base.figures());
    }

    /// @param used the tests that figures are from
    /// @param unused those that were measured and say nothing that a profile asks for, or nothing certain
    public record Result(CostProfile profile, List<String> used, List<String> unused) {}

    /// @param file as its user named it
    public static Result of(UnitTestOutput output, String file, String name, CostProfile base) {
        return new Calibration(output, file, base).run(name);
    }

    private Result run(String name) {
        exits();
        userspace();
        passedThrough("wr_ibpb_msr", 1, "host-wrmsr.ibpb");
        passedThrough("wr_ibrs_msr", 2, "host-wrmsr.IA32_SPEC_CTRL");
        passedThrough("wr_kernel_gs_base", 1, "host-wrmsr.KERNEL_GS_BASE");
        if (svm) {
            latency("Latency VMRUN", "nested-entry", "in a guest, where VMRUN enters L2");
            latency("Latency VMEXIT", "nested-exit", "in a guest, where it leaves L2");
            ownInstruction("Latency VMLOAD", "vmload");
            ownInstruction("Latency VMSAVE", "vmsave");
        }
        List<String> unused = new ArrayList<>(output.measured().keySet());
        unused.removeAll(used);
        CostProfile profile =
                new CostProfile(
                        name,
                        "measured by kvm-unit-tests (%s), over the profile %s"
                                .formatted(file, base.name()),
                        "reference cycles",
                        Collections.unmodifiableSortedMap(new TreeMap<>(figures)));
        return new Result(profile, List.copyOf(used), List.copyOf(unused));
    }

    private void exits() {
        List<Handled> found =
                HANDLED.stream()
                        .filter(test -> output.measured().containsKey(test.test()))
                        .toList();
        if (found.isEmpty()) {
            return;
        }
        Handled cheapest = found.getFirst();
        for (Handled test : found) {
            cheapest = measured(test).typical() < measured(cheapest).typical() ? test : cheapest;
        }
        split(measured(cheapest));
        for (Handled test : found) {
            handler(test);
        }
    }

    private Measured measured(Handled test) {
        return output.measured().get(test.test());
    }

    private void split(Measured cheapest) {
        Range exit = base.figure("exit").range();
        Range handler = base.figure("handler").range();
        double cycles = cheapest.typical();
        Range share =
                new Range(
                        cycles * exit.low() / (exit.low() + handler.high()),
                        cycles * exit.typical() / (exit.typical() + handler.typical()),
                        cycles);
        set(
                "exit",
                share,
                "%s, the cheapest exit with its handler; that %.0f of %.0f are the round trip, as in profile %s, is assumed"
                        .formatted(
                                words(cheapest),
                                exit.typical(),
                                exit.typical() + handler.typical(),
                                base.name()),
                cheapest);
    }

    private void handler(Handled test) {
        Range exit = figures.get("exit").range();
        double cycles = measured(test).typical();
        Range rest =
                new Range(
                        Math.max(0, cycles - exit.high()),
                        cycles - exit.typical(),
                        cycles - exit.low());
        String key = "handler." + (svm ? test.svm() : test.vmx());
        String source = "%s, less the round trip".formatted(words(measured(test)));
        if (changed.contains(key)) {
            Figure before = figures.get(key);
            rest = around(before.range(), rest);
            source = before.source() + "; " + source;
        }
        set(key, rest, source, measured(test));
    }

    /// One figure for two tests: the mean, and as wide as both.
    private static Range around(Range a, Range b) {
        return new Range(
                Math.min(a.low(), b.low()),
                (a.typical() + b.typical()) / 2,
                Math.max(a.high(), b.high()));
    }

    private void userspace() {
        Measured kernel = output.measured().get("inl_from_kernel");
        Measured qemu = output.measured().get("inl_from_qemu");
        Measured timer = output.measured().get("inl_from_pmtimer");
        if (kernel == null || qemu == null || qemu.typical() < kernel.typical()) {
            return;
        }
        double more = qemu.typical() - kernel.typical();
        double most = timer == null ? more : Math.max(more, timer.typical() - kernel.typical());
        String source = "%s, less %s".formatted(words(qemu), value(kernel));
        set(
                "userspace",
                new Range(more, more, most),
                most > more ? source + "; upper end " + value(timer) : source,
                qemu);
        if (timer != null) {
            used.add(timer.test());
        }
    }

    /// What a guest executes without an exit, if it did: then it cost less than any exit. An IBPB may cost more;
    /// KVM passes it through from the guest's first on.
    private void passedThrough(String test, int times, String key) {
        Measured measured = output.measured().get(test);
        if (measured == null) {
            return;
        }
        double cycles = measured.typical() / times;
        boolean barrier = test.equals("wr_ibpb_msr");
        if (!barrier && cycles >= figures.get("exit").range().high()) {
            return;
        }
        String source = "%s, passed through".formatted(words(measured));
        set(
                key,
                new Range(cycles, cycles, cycles),
                times == 1 ? source : source + ", %d writes".formatted(times),
                measured);
    }

    private void latency(String test, String key, String where) {
        Measured measured = output.measured().get(test);
        if (measured != null) {
            set(key, range(measured), "%s, %s".formatted(words(measured), where), measured);
        }
    }

    private void ownInstruction(String test, String key) {
        Measured measured = output.measured().get(test);
        if (measured != null && measured.typical() < figures.get("exit").range().typical()) {
            set(
                    key,
                    range(measured),
                    "%s, in a guest without an exit".formatted(words(measured)),
                    measured);
        }
    }

    private static Range range(Measured measured) {
        return new Range(measured.low(), measured.typical(), measured.high());
    }

    private void set(String key, Range range, String source, Measured measured) {
        figures.put(key, new Figure(whole(range), source, false));
        changed.add(key);
        used.add(measured.test());
    }

    /// Rounded at once, so that an exit and its handler come to what was measured.
    private static Range whole(Range range) {
        return new Range(
                Math.rint(range.low()), Math.rint(range.typical()), Math.rint(range.high()));
    }

    private String words(Measured measured) {
        return "%s line %d, %s".formatted(file, measured.line(), value(measured));
    }

    private static String value(Measured measured) {
        return String.format(Locale.ROOT, "%s %s", measured.test(), number(measured.typical()));
    }

    private static String number(double cycles) {
        return cycles == Math.rint(cycles)
                ? String.format(Locale.ROOT, "%.0f", cycles)
                : Double.toString(cycles);
    }
}
