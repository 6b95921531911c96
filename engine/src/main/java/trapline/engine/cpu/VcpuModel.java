package trapline.engine.cpu;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Features;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;

/// What userspace shows the guest: CPUID and ARCH_CAPABILITIES. Userspace owns it, never the hypervisor.
public final class VcpuModel {

    private static final int HYPERVISOR_LEAF = 0x4000_0000;
    private static final int TRACE_LEAF = 0x14;
    private static final String PREDICTOR = "return-address-predictor";
    private static final int XSAVE_LEAF = 0xd;
    private static final int OSXSAVE = 1 << 27;
    private static final int HYPERVISOR = 1 << 31;

    private final Vendor vendor;
    private final int signature;
    private final SortedSet<String> features;
    private final long archCapabilities;
    private final ProcessorTrace trace;
    private final int predictor;
    private final long xss;

    /// What the features set of EAX to EDX, by leaf and subleaf.
    private final SortedMap<Long, int[]> shown = new TreeMap<>();

    public VcpuModel(
            Vendor vendor, int signature, SortedSet<String> features, long archCapabilities) {
        this(vendor, signature, features, archCapabilities, ProcessorTrace.NONE, 0, 0);
    }

    /// @param trace what Processor Trace can do, if the guest is shown it
    /// @param predictor entries of the return-address predictor that the guest is told of, with ERAPS
    /// @param xss the supervisor components of XSAVE that CPUID shows; those of CET only with SHSTK or IBT
    public VcpuModel(
            Vendor vendor,
            int signature,
            SortedSet<String> features,
            long archCapabilities,
            ProcessorTrace trace,
            int predictor,
            long xss) {
        this.vendor = vendor;
        this.signature = signature;
        this.features = Collections.unmodifiableSortedSet(new TreeSet<>(features));
        this.archCapabilities = archCapabilities;
        this.trace = trace;
        this.predictor = predictor;
        boolean cet = features.contains("SHSTK") || features.contains("IBT");
        this.xss = cet ? xss : xss & ~StateComponents.CET;
        for (Features.Feature feature : Features.all()) {
            if (feature.register() >= 0 && has(feature.name())) {
                shown.computeIfAbsent(key(feature.leaf(), feature.subleaf()), _ -> new int[4])[
                                feature.register()] |=
                        1 << feature.bit();
            }
        }
    }

    private static long key(int leaf, int subleaf) {
        return (long) leaf << 32 | Integer.toUnsignedLong(subleaf);
    }

    public boolean has(String feature) {
        return features.contains(feature);
    }

    public boolean hasAll(Collection<String> wanted) {
        return features.containsAll(wanted);
    }

    public SortedSet<String> features() {
        return features;
    }

    public long archCapabilities() {
        return archCapabilities;
    }

    /// What the guest finds in leaf 0x14: nothing, without the feature.
    public ProcessorTrace trace() {
        return has("INTEL_PT") ? trace : ProcessorTrace.NONE;
    }

    /// The bits of IA32_XSS that CPUID shows.
    public long xss() {
        return xss;
    }

    /// EAX, EBX, ECX and EDX that the guest finds.
    public int[] cpuid(int leaf, int subleaf, int vcpu) {
        int[] bits = shown.get(key(leaf, subleafOf(leaf, subleaf)));
        int[] registers = bits == null ? new int[4] : bits.clone();
        switch (leaf) {
            case 0 -> {
                String letters = vendor == Vendor.VMX ? "GenuineIntel" : "AuthenticAMD";
                registers[0] = has("INTEL_PT") ? TRACE_LEAF : has("XSAVE") ? 0xd : 7;
                registers[1] = word(letters, 0);
                registers[3] = word(letters, 4);
                registers[2] = word(letters, 8);
            }
            case 1 -> {
                registers[0] = signature;
                registers[1] = vcpu << 24;
                registers[2] |= (has("XSAVE") ? OSXSAVE : 0) | HYPERVISOR;
            }
            case TRACE_LEAF -> {
                return trace().equals(ProcessorTrace.NONE) ? registers : trace.cpuid(subleaf);
            }
            case HYPERVISOR_LEAF -> {
                String letters = "KVMKVMKVM\0\0\0";
                registers[0] = HYPERVISOR_LEAF + 1;
                for (int i = 0; i < 3; i++) {
                    registers[1 + i] = word(letters, 4 * i);
                }
            }
            case XSAVE_LEAF -> xsave(subleaf, registers);
            case 0x8000_0000 -> registers[0] = 0x8000_0021;
            case 0x8000_0021 -> registers[1] |= has("ERAPS") ? predictor << 16 : 0;
            default -> {}
        }
        return registers;
    }

    /// Supervisor components: which there are, and of each its size and that IA32_XSS enables it.
    private void xsave(int subleaf, int[] registers) {
        if (subleaf == 1) {
            registers[2] = (int) xss;
            registers[3] = (int) (xss >>> 32);
        } else if (subleaf > 1 && subleaf < 64 && (xss >>> subleaf & 1) != 0) {
            registers[0] = StateComponents.size(subleaf);
            registers[2] = 1;
        }
    }

    /// Only some leaves look at ECX.
    private static int subleafOf(int leaf, int subleaf) {
        return leaf == 7 || leaf == 0xd ? subleaf : 0;
    }

    private static int word(String letters, int at) {
        return letters.charAt(at)
                | (letters.charAt(at + 1) << 8)
                | (letters.charAt(at + 2) << 16)
                | (letters.charAt(at + 3) << 24);
    }

    /// This model with some of QEMU's properties set.
    public VcpuModel with(Node properties) {
        TreeSet<String> changed = new TreeSet<>(features);
        long capabilities = archCapabilities;
        for (var entry : properties.entries().entrySet()) {
            boolean on = entry.getValue().value().bool();
            long bit = ArchCapabilities.property(entry.getKey());
            if (bit != 0) {
                capabilities = on ? capabilities | bit : capabilities & ~bit;
                continue;
            }
            Node key = new Node.Scalar(entry.getValue().keyPlace(), entry.getKey(), true);
            String feature =
                    Features.property(entry.getKey()).orElseThrow(() -> unknown(key)).name();
            if (on) {
                changed.add(feature);
            } else {
                changed.remove(feature);
            }
        }
        return new VcpuModel(vendor, signature, changed, capabilities, trace, predictor, xss);
    }

    private static RuntimeException unknown(Node key) {
        List<String> known = new ArrayList<>(Features.properties());
        known.addAll(ArchCapabilities.properties());
        return key.error(
                Kind.UNKNOWN_NAME,
                "unknown CPU property '%s'%s",
                key.text(),
                Suggestion.of(key.text(), known));
    }

    /// As text, for the session's header.
    public String text() {
        return "vendor: %s\nsignature: 0x%x\nfeatures: [%s]\narch-capabilities: 0x%x\n"
                        .formatted(
                                vendor == Vendor.VMX ? "vmx" : "svm",
                                signature,
                                String.join(", ", features),
                                archCapabilities)
                + (has("INTEL_PT") ? "processor-trace: %s\n".formatted(trace.text()) : "")
                + (predictor == 0 ? "" : PREDICTOR + ": " + predictor + "\n")
                + (xss == 0 ? "" : "xss: 0x%x\n".formatted(xss));
    }

    /// The model in a text that [#text] once was.
    public static VcpuModel parse(String text) {
        Node node = Yaml.parse(text, "recorded vCPU model");
        TreeSet<String> features = new TreeSet<>();
        for (Node feature : node.require("features").items()) {
            features.add(feature.oneOf(Features.names(), "feature"));
        }
        return new VcpuModel(
                node.require("vendor").text().equals("vmx") ? Vendor.VMX : Vendor.SVM,
                (int) node.require("signature").number(),
                features,
                node.require("arch-capabilities").number(),
                node.find("processor-trace").map(ProcessorTrace::read).orElse(ProcessorTrace.NONE),
                node.find(PREDICTOR).map(n -> (int) n.number(0, 255)).orElse(0),
                node.find("xss").map(Node::number).orElse(0L));
    }

    /// Names of the bits that are set, for people.
    public String describeCapabilities() {
        return Bits.describe(Msrs.ARCH_CAPABILITIES, archCapabilities);
    }
}
