package trapline.replayer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeSet;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.Reg;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.engine.state.Image;
import trapline.engine.state.MachineState;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.PcpuState;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.ReturnStack;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.state.VmState;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;
import trapline.schemas.StateCodec;

/// The exact state of one vCPU by name: what `state` shows.
public final class StateView {

    private StateView() {}

    /// Everything, as a tree of names.
    public static SequencedMap<String, Object> of(
            String session, MachineState machine, int vcpuId) {
        VcpuState vcpu = machine.vcpu(vcpuId);
        SequencedMap<String, Object> view = new LinkedHashMap<>();
        view.put("session", session);
        view.put("vcpu", vcpuId);
        view.put("seq", vcpu.seq());
        view.put("order", machine.order());
        view.put("tick", vcpu.tick());
        view.put("op", vcpu.op());
        view.put("mode", Names.camel(vcpu.mode().name()));
        view.put("level", vcpu.level());
        view.put("pcpu", vcpu.pcpu());
        view.put("registers", registers(vcpu));
        view.put("msrs", msrs(machine, vcpu));
        boolean vmx = vcpu.vendor() == Vendor.VMX;
        view.put(vmx ? "vmcs" : "vmcb", structures(vcpu));
        view.put("intercepts", intercepts(vcpu));
        view.put("hypervisor", hypervisor(vcpu));
        if (!machine.pcpuOf(vcpu).returns().isEmpty()) {
            view.put("returnPredictor", returnPredictor(machine.pcpuOf(vcpu)));
        }
        if (!machine.vm().msrFilter().isEmpty() || machine.vm().msrExits() != 0) {
            view.put("userspace", userspace(machine.vm()));
        }
        view.put("digest", StateCodec.digest(machine).toString());
        return view;
    }

    /// Everything, and the entry that failed last where the vCPU has not run since.
    public static SequencedMap<String, Object> of(
            String session, MachineState machine, int vcpuId, Optional<Failure> failure) {
        SequencedMap<String, Object> view = new LinkedHashMap<>();
        of(session, machine, vcpuId)
                .forEach((name, value) -> {
                    if (value instanceof Map && failure.isPresent()) {
                        view.putIfAbsent("entryFailure", ResultTree.failure(failure.get()));
                    }
                    view.put(name, value);
                });
        return view;
    }

    /// The return addresses that guests left in the pCPU's predictor, the oldest first.
    private static List<Map<String, Object>> returnPredictor(PcpuState pcpu) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (ReturnStack.Run run : pcpu.returns().content()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("vcpu", run.vcpu());
            row.put("level", run.level());
            row.put("entries", run.entries());
            row.put("depth", run.depth());
            rows.add(row);
        }
        return rows;
    }

    private static SequencedMap<String, Object> registers(VcpuState vcpu) {
        SequencedMap<String, Object> registers = new LinkedHashMap<>();
        for (Reg register : Reg.values()) {
            if (!isMsr(register)) {
                registers.put(register.name(), new Hex(vcpu.register(register)));
            }
        }
        return registers;
    }

    private static boolean isMsr(Reg register) {
        for (int msr : RegisterMap.msrs()) {
            if (RegisterMap.register(msr) == register) {
                return true;
            }
        }
        return false;
    }

    /// `guest`: as the guest believes them; `hardware`: as the pCPU holds them now; `userspace`: what it keeps of those
    /// that it emulates.
    private static SequencedMap<String, Object> msrs(MachineState machine, VcpuState vcpu) {
        SequencedMap<String, Object> guest = new LinkedHashMap<>();
        SequencedMap<String, Object> hardware = new LinkedHashMap<>();
        PcpuState pcpu = machine.pcpuOf(vcpu);
        TreeSet<Long> indices = new TreeSet<>();
        for (int msr : RegisterMap.msrs()) {
            indices.add(Integer.toUnsignedLong(msr));
        }
        for (int msr : vcpu.msrIndices()) {
            indices.add(Integer.toUnsignedLong(msr));
        }
        for (long msr : indices) {
            guest.put(Msrs.name((int) msr), new Hex(vcpu.msr((int) msr)));
        }
        for (int msr : pcpu.msrIndices()) {
            indices.add(Integer.toUnsignedLong(msr));
        }
        SequencedMap<String, Object> userspace = new LinkedHashMap<>();
        for (int msr : vcpu.userspaceMsrIndices()) {
            userspace.put(Msrs.name(msr), new Hex(vcpu.userspaceMsr(msr).orElse(0)));
        }
        for (long msr : indices) {
            if (pcpu.hasMsr((int) msr) || machine.switched((int) msr)) {
                hardware.put(Msrs.name((int) msr), new Hex(machine.hardwareMsr(vcpu, (int) msr)));
            }
        }
        SequencedMap<String, Object> both = new LinkedHashMap<>();
        both.put("guest", guest);
        both.put("hardware", hardware);
        if (!userspace.isEmpty()) {
            both.put("userspace", userspace);
        }
        return both;
    }

    /// Each structure in use, with every field: 02 and 12 only once the guest is a hypervisor.
    private static SequencedMap<String, Object> structures(VcpuState vcpu) {
        SequencedMap<String, Object> structures = new LinkedHashMap<>();
        for (int structure : new int[] {1, 2, 12}) {
            Image image = vcpu.image(structure);
            SequencedMap<String, Object> fields = new LinkedHashMap<>();
            boolean used = structure == 1;
            for (Field field : image.layout().fields()) {
                used |= image.get(field) != 0;
                fields.put(field.name(), new Hex(image.get(field)));
            }
            if (used) {
                structures.put(name(structure), fields);
            }
        }
        return structures;
    }

    private static String name(int structure) {
        return structure < 10 ? "0" + structure : Integer.toString(structure);
    }

    /// What each MSR bitmap lets through; everything else exits.
    private static SequencedMap<String, Object> intercepts(VcpuState vcpu) {
        SequencedMap<String, Object> intercepts = new LinkedHashMap<>();
        for (int structure : new int[] {1, 2}) {
            List<Map<String, Object>> passed = passedThrough(vcpu, structure);
            if (structure == 1 || !passed.isEmpty()) {
                intercepts.put(name(structure), Map.of("passedThrough", passed));
            }
        }
        return intercepts;
    }

    private static List<Map<String, Object>> passedThrough(VcpuState vcpu, int structure) {
        MsrBitmap bitmap = vcpu.bitmap(structure);
        List<Map<String, Object>> passed = new ArrayList<>();
        for (int base : new int[] {0, 0xc000_0000, 0xc001_0000}) {
            for (int msr = base; msr < base + 0x2000; msr++) {
                boolean read = !bitmap.exits(msr, false);
                boolean write = !bitmap.exits(msr, true);
                if (read || write) {
                    SequencedMap<String, Object> row = new LinkedHashMap<>();
                    row.put("msr", Msrs.name(msr));
                    row.put("read", read);
                    row.put("write", write);
                    passed.add(row);
                }
            }
        }
        return passed;
    }

    /// What userspace asked KVM for: its MSR filter, and of which failed accesses it wants to be told.
    private static SequencedMap<String, Object> userspace(VmState vm) {
        SequencedMap<String, Object> userspace = new LinkedHashMap<>();
        userspace.put("msrFilter", EventFields.filter(vm.msrFilter()));
        List<String> reasons = new ArrayList<>();
        for (MsrExitReason reason : MsrExitReason.values()) {
            if ((vm.msrExits() & reason.bit()) != 0) {
                reasons.add(Names.camel(reason.name()));
            }
        }
        userspace.put("msrExits", reasons);
        return userspace;
    }

    private static SequencedMap<String, Object> hypervisor(VcpuState vcpu) {
        SequencedMap<String, Object> hypervisor = new LinkedHashMap<>();
        for (Kvm item : Kvm.values()) {
            hypervisor.put(Names.camel(item.name()), new Hex(vcpu.kvm(item)));
        }
        return hypervisor;
    }

    /// What changed between two states, by path of names: old and new value.
    public static SequencedMap<String, List<Object>> difference(
            Map<String, Object> before, Map<String, Object> after) {
        SequencedMap<String, List<Object>> changes = new LinkedHashMap<>();
        difference("", before, after, changes);
        return changes;
    }

    private static void difference(
            String path,
            Map<?, ?> before,
            Map<?, ?> after,
            SequencedMap<String, List<Object>> changes) {
        TreeSet<String> keys = new TreeSet<>();
        before.keySet().forEach(key -> keys.add((String) key));
        after.keySet().forEach(key -> keys.add((String) key));
        for (String key : keys) {
            Object was = before.get(key);
            Object is = after.get(key);
            if (was instanceof Map<?, ?> w && is instanceof Map<?, ?> i) {
                difference(path + key + ".", w, i, changes);
            } else if (was == null ? is != null : !was.equals(is)) {
                changes.put(path + key, Arrays.asList(was, is));
            }
        }
    }
}
