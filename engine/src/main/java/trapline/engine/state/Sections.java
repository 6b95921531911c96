package trapline.engine.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.table.Field;

/// A machine's state to its canonical form and back.
///
/// The order of sections and keys is fixed, so that equal states have equal forms.
public final class Sections {

    private static final int[] STRUCTURES = {1, 2, 12};

    private static final int XCR0 = 16;

    /// Sections that are there only when they have entries, without the number of their owner.
    private static final List<String> OPTIONAL =
            List.of(
                    "vcpu.pt-guest",
                    "vcpu.pt-host",
                    "vm.filter",
                    "vcpu.userspace-msrs",
                    "vcpu.withheld",
                    "vm.force",
                    "pcpu.returns",
                    "vcpu.xsave",
                    "vcpu.xsave-msrs",
                    "vcpu.fpu-msrs",
                    "pcpu.vmload",
                    "pcpu.copies");

    private Sections() {}

    public static List<Section> of(MachineState machine) {
        List<Section> sections = new ArrayList<>();
        sections.add(new Part("machine").put(0, machine.order, 0).done());
        sections.add(keys("vm.mmio", machine.vm.mmioFrames));
        sections.add(keys("vm.hypercalls", machine.vm.patchedHypercalls));
        optional(
                new Part("vm.force")
                        .put(0, machine.vm.forceMask, 0)
                        .put(1, machine.vm.forceValue, 0)
                        .done(),
                sections);
        for (PcpuState pcpu : machine.pcpus) {
            String name = "pcpu" + pcpu.id;
            sections.add(
                    new Part(name)
                            .put(0, pcpu.lastVcpu, -1)
                            .put(1, pcpu.vmloadOwner(), -1)
                            .put(2, pcpu.lastLevel, 1)
                            .put(3, pcpu.nextAsid, 1)
                            .put(XCR0, pcpu.xcr0, machine.config().hostXcr0())
                            .done());
            sections.add(msrs(name + ".msrs", pcpu.msrs));
            if (!pcpu.returns.isEmpty()) {
                sections.add(returns(name + ".returns", pcpu.returns));
            }
            hostState(pcpu, sections);
        }
        for (VcpuState vcpu : machine.vcpus) {
            vcpu(vcpu, sections);
        }
        optional(FilterSection.of("vm.filter", machine.vm), sections);
        for (VcpuState vcpu : machine.vcpus) {
            String name = "vcpu" + vcpu.id;
            optional(msrs(name + ".userspace-msrs", vcpu.userspaceMsrs), sections);
            optional(msrs(name + ".withheld", vcpu.withheld), sections);
        }
        return sections;
    }

    /// What a pCPU of AMD's holds otherwise than its host or one vCPU alone would.
    private static void hostState(PcpuState pcpu, List<Section> sections) {
        if (pcpu.vmload != null) {
            Part vmload = new Part("pcpu" + pcpu.id + ".vmload");
            pcpu.vmload.write((key, value) -> vmload.put(key, value, ~value), pcpu.lastVcpu >= 0);
            optional(vmload.done(), sections);
        }
        if (pcpu.copies != null) {
            Part copies = new Part("pcpu" + pcpu.id + ".copies");
            for (int msr : pcpu.copies.indices()) {
                copies.put(Integer.toUnsignedLong(msr), pcpu.copies.get(msr), pcpu.own(msr));
            }
            optional(copies.done(), sections);
        }
    }

    private static void vcpu(VcpuState vcpu, List<Section> sections) {
        String name = "vcpu" + vcpu.id;
        sections.add(
                new Part(name).put(0, vcpu.seq, 0).put(1, vcpu.tick, 0).put(2, vcpu.op, 0).done());
        Part kvm = new Part(name + ".hypervisor");
        for (int i = 0; i < Kvm.COUNT; i++) {
            kvm.put(i, vcpu.kvm[i], 0);
        }
        sections.add(kvm.done());
        Part registers = new Part(name + ".registers");
        for (int i = 0; i < Reg.COUNT; i++) {
            registers.put(i, vcpu.registers[i], 0);
        }
        sections.add(registers.done());
        sections.add(msrs(name + ".msrs", vcpu.msrs));
        optional(msrs(name + ".pt-guest", vcpu.guestTrace), sections);
        optional(msrs(name + ".pt-host", vcpu.hostTrace), sections);
        for (int structure : STRUCTURES) {
            String suffix = structure < 10 ? ".0" + structure : "." + structure;
            Part fields = new Part(name + suffix);
            for (Field field : vcpu.vendor.layout().fields()) {
                fields.put(field.id(), vcpu.image(structure).get(field), 0);
            }
            sections.add(fields.done());
            Part words = new Part(name + ".bitmap" + suffix.substring(1));
            MsrBitmap bitmap = vcpu.bitmap(structure);
            for (int i = 0; i < bitmap.words(); i++) {
                words.put(i, bitmap.word(i), structure == 12 ? 0 : -1);
            }
            sections.add(words.done());
        }
        ExtendedState extended = vcpu.extended;
        optional(new Part(name + ".xsave").put(0, extended.layout, 0).done(), sections);
        optional(msrs(name + ".xsave-msrs", extended.area), sections);
        optional(msrs(name + ".fpu-msrs", extended.fpu), sections);
    }

    private static void optional(Section section, List<Section> sections) {
        if (section.keys().length != 0) {
            sections.add(section);
        }
    }

    private static Section msrs(String name, MsrFile msrs) {
        int[] indices = msrs.indices();
        long[] keys = new long[indices.length];
        long[] values = new long[indices.length];
        for (int i = 0; i < indices.length; i++) {
            keys[i] = Integer.toUnsignedLong(indices[i]);
            values[i] = msrs.get(indices[i]);
        }
        return new Section(name, keys, values);
    }

    /// Owner, depth and length of each run, the oldest first.
    private static Section returns(String name, ReturnStack returns) {
        int runs = returns.runs();
        long[] keys = new long[3 * runs];
        long[] values = new long[3 * runs];
        for (int i = 0; i < runs; i++) {
            values[3 * i] = returns.owner(i);
            values[3 * i + 1] = returns.depth(i);
            values[3 * i + 2] = returns.count(i);
        }
        Arrays.setAll(keys, i -> i);
        return new Section(name, keys, values);
    }

    private static Section keys(String name, LongSet set) {
        long[] keys = set.elements();
        return new Section(name, keys, new long[keys.length]);
    }

    /// The machine that had this form.
    ///
    /// @throws IllegalArgumentException if a section or a key is unknown here
    public static MachineState restore(MachineConfig config, List<Section> sections) {
        MachineState machine = new MachineState(config);
        List<Section> expected = of(machine);
        int next = 0;
        for (Section section : sections) {
            if (next < expected.size() && section.name().equals(expected.get(next).name())) {
                next++;
            } else if (!OPTIONAL.contains(section.name().replaceAll("[0-9]+", ""))) {
                throw new IllegalArgumentException(
                        next == expected.size()
                                ? "section %s is one too many".formatted(section.name())
                                : "section %s, expected %s"
                                        .formatted(section.name(), expected.get(next).name()));
            }
            restore(machine, section);
        }
        if (next != expected.size()) {
            throw new IllegalArgumentException(
                    "%d sections, expected %d".formatted(sections.size(), expected.size()));
        }
        return machine;
    }

    private static void restore(MachineState machine, Section section) {
        String name = section.name();
        int dot = name.indexOf('.');
        String owner = dot < 0 ? name : name.substring(0, dot);
        String part = dot < 0 ? "" : name.substring(dot + 1);
        if (name.equals("vm.filter")) {
            FilterSection.restore(machine.vm, section);
            return;
        }
        if (part.equals("returns")) {
            restore(machine.pcpus[Integer.parseInt(owner.substring(4))].returns, section);
            return;
        }
        for (int i = 0; i < section.keys().length; i++) {
            long key = section.keys()[i];
            long value = section.values()[i];
            if (owner.equals("machine")) {
                machine.order = value;
            } else if (owner.equals("vm")) {
                restore(machine.vm, part, key, value);
            } else if (owner.startsWith("pcpu")) {
                restore(machine, Integer.parseInt(owner.substring(4)), part, key, value);
            } else {
                restore(machine.vcpus[Integer.parseInt(owner.substring(4))], part, key, value);
            }
        }
    }

    private static void restore(VmState vm, String part, long key, long value) {
        switch (part) {
            case "mmio" -> vm.mmioFrames.add(key);
            case "force" -> {
                if (index(key) == 0) {
                    vm.forceMask = value;
                } else {
                    vm.forceValue = value;
                }
            }
            default -> vm.patchedHypercalls.add(key);
        }
    }

    private static void restore(ReturnStack returns, Section section) {
        long[] values = section.values();
        if (values.length % 3 != 0) {
            throw new IllegalArgumentException("a part of a run in " + section.name());
        }
        for (int i = 0; i < values.length; i += 3) {
            returns.append((int) values[i], values[i + 1], (int) values[i + 2]);
        }
    }

    private static void restore(
            MachineState machine, int number, String part, long key, long value) {
        PcpuState pcpu = machine.pcpus[number];
        switch (part) {
            case "msrs" -> pcpu.msrs.put((int) key, value);
            case "vmload" -> vmload(pcpu).restore(index(key), value);
            case "copies" -> pcpu.copied((int) key, value);
            default -> restore(machine, pcpu, index(key), value);
        }
    }

    private static VmloadState vmload(PcpuState pcpu) {
        if (pcpu.vmload == null) {
            throw new IllegalArgumentException("VMLOAD state on a processor without VMLOAD");
        }
        return pcpu.vmload;
    }

    private static void restore(MachineState machine, PcpuState pcpu, int key, long value) {
        switch (key) {
            case 0 -> {
                pcpu.lastVcpu = (int) value;
                if (pcpu.vmload != null) {
                    pcpu.vmload.restoreUsed();
                }
            }
            case 1 -> vmload(pcpu).restoreOwner(machine.vcpus[index(value)]);
            case 2 -> pcpu.lastLevel = (int) value;
            case XCR0 -> pcpu.xcr0 = value;
            default -> pcpu.nextAsid = value;
        }
    }

    private static void restore(VcpuState vcpu, String part, long key, long value) {
        int number = index(key);
        switch (part) {
            case "" -> {
                switch (number) {
                    case 0 -> vcpu.seq = value;
                    case 1 -> vcpu.tick = value;
                    default -> vcpu.op = value;
                }
            }
            case "hypervisor" -> vcpu.set(Kvm.of(number), value);
            case "registers" -> vcpu.registers[Reg.of(number).ordinal()] = value;
            case "msrs" -> vcpu.msrs.put((int) key, value);
            case "pt-guest" -> vcpu.guestTrace.put((int) key, value);
            case "pt-host" -> vcpu.hostTrace.put((int) key, value);
            case "userspace-msrs" -> vcpu.userspaceMsrs.put((int) key, value);
            case "withheld" -> vcpu.withheld.put((int) key, value);
            case "xsave" -> vcpu.extended.layout = value;
            case "xsave-msrs" -> vcpu.extended.area.put((int) key, value);
            case "fpu-msrs" -> vcpu.extended.fpu.put((int) key, value);
            case "01", "02", "12" -> {
                if (!vcpu.vendor.layout().has(number)) {
                    throw new IllegalArgumentException("no field 0x" + Integer.toHexString(number));
                }
                vcpu.image(Integer.parseInt(part)).set(number, value);
            }
            default -> vcpu.bitmap(Integer.parseInt(part.substring(6))).setWord(number, value);
        }
    }

    private static int index(long key) {
        return key < 0 || key > Integer.MAX_VALUE ? -1 : (int) key;
    }

    /// Collects the entries of one section that differ from their initial value.
    private static final class Part {
        private final String name;
        private long[] keys = new long[16];
        private long[] values = new long[16];
        private int size;

        Part(String name) {
            this.name = name;
        }

        Part put(long key, long value, long initial) {
            if (value != initial) {
                if (size == keys.length) {
                    keys = Arrays.copyOf(keys, 2 * size);
                    values = Arrays.copyOf(values, 2 * size);
                }
                keys[size] = key;
                values[size++] = value;
            }
            return this;
        }

        Section done() {
            return new Section(name, Arrays.copyOf(keys, size), Arrays.copyOf(values, size));
        }
    }
}
