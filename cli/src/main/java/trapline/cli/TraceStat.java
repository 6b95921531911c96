package trapline.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.engine.state.Vendor;
import trapline.engine.text.InputException;
import trapline.recorder.observe.Observer;
import trapline.recorder.observe.Observer.VmSeen;
import trapline.recorder.observe.VmChoice;
import trapline.recorder.trace.TraceReader;
import trapline.recorder.trace.TraceSummary;
import trapline.replayer.times.ExitTimes;
import trapline.replayer.times.TimesTree;

/// `stat` straight from a trace, of which nothing is kept.
final class TraceStat {

    static final String STANDARD_INPUT = "-";

    private final String file;
    private final LookOptions options;
    private final Console console;
    private final List<ExitTimes> byVm = new ArrayList<>();

    TraceStat(String file, LookOptions options, Console console) {
        this.file = file;
        this.options = options;
        this.console = console;
    }

    /// Whether what a user names is a trace and no session.
    static boolean isTrace(String name) {
        boolean isFile = !name.equals("last") && Files.isRegularFile(Path.of(name));
        return isFile || name.equals(STANDARD_INPUT);
    }

    void run() {
        Observer observer = new Observer(file, this::count);
        TraceSummary trace = read(observer);
        List<VmSeen> vms = observer.vms();
        checkVcpu(vms);
        for (int i = 0; i < byVm.size(); i++) {
            byVm.get(i).expect(vms.get(i).vcpus());
            byVm.get(i).finish();
        }
        if (console.json()) {
            SequencedMap<String, Object> tree = tree(trace, vms);
            tree.put("unassigned", observer.unassigned());
            console.document(tree);
        } else {
            print(vms);
        }
        ImportCommand.note(trace, console);
        ImportCommand.note(observer, console);
    }

    private TraceSummary read(Observer observer) {
        if (!file.equals(STANDARD_INPUT) && TraceReader.isContainer(Path.of(file))) {
            throw new InputException(
                    InputException.Kind.SYNTAX,
                    file,
                    "expected a trace, found recorded sessions: 'stat last --log file:%s' counts them"
                            .formatted(file));
        }
        try (Console.Progress progress = console.progress("counting", size())) {
            TraceSummary trace = TraceReader.of(file).progress(progress).read(observer);
            observer.finish();
            return trace;
        }
    }

    private long size() {
        try {
            return file.equals(STANDARD_INPUT) ? -1 : Files.size(Path.of(file));
        } catch (IOException _) {
            return -1;
        }
    }

    private void count(int vm, Envelope envelope) {
        while (byVm.size() <= vm) {
            byVm.add(new ExitTimes(options.look(), Vendor.VMX));
        }
        byVm.get(vm).add(envelope);
    }

    private void checkVcpu(List<VmSeen> vms) {
        int vcpus = vms.stream().mapToInt(VmSeen::vcpus).max().orElse(1);
        if (options.vcpu != null && (options.vcpu < 0 || options.vcpu >= vcpus)) {
            throw new InputException(
                    InputException.Kind.NOT_APPLICABLE,
                    file,
                    vcpus == 1
                            ? "the trace has only vCPU 0, not " + options.vcpu
                            : "the trace has vCPUs 0 to %d, not %d"
                                    .formatted(vcpus - 1, options.vcpu));
        }
    }

    private SequencedMap<String, Object> tree(TraceSummary trace, List<VmSeen> vms) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", null);
        tree.put("file", file);
        tree.put("format", trace.format().text());
        tree.put("lines", trace.lines());
        tree.put("malformed", trace.malformed());
        if (byVm.size() == 1) {
            addTo(tree, byVm.getFirst());
            return tree;
        }
        List<Object> rows = new ArrayList<>();
        for (int i = 0; i < byVm.size(); i++) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("vm", i + 1);
            row.put("process", vms.get(i).process() == 0 ? null : vms.get(i).process());
            row.put("threads", vms.get(i).threads());
            addTo(row, byVm.get(i));
            rows.add(row);
        }
        tree.put("vms", rows);
        return tree;
    }

    private void addTo(SequencedMap<String, Object> tree, ExitTimes times) {
        tree.put("events", times.events());
        new TimesTree(times, options.sort, options.rows(), options.histogram).addTo(tree);
    }

    private void print(List<VmSeen> vms) {
        for (int i = 0; i < byVm.size(); i++) {
            ExitTimes times = byVm.get(i);
            if (i > 0) {
                console.line("");
            }
            console.line(
                    "%s%s: %s in %s s, %s events",
                    file,
                    byVm.size() == 1 ? "" : ", " + VmChoice.describe(i, vms.get(i)),
                    TimesText.exits(times.exits()),
                    TimesText.seconds(times.span()),
                    Table.number(times.events()));
            new TimesText(times, options, console).print();
        }
    }
}
