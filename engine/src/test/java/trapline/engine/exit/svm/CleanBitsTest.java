package trapline.engine.exit.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Reference;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.state.MachineState;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// The VMCB's clean bits.
class CleanBitsTest {

    /// All that the tree knows, but for those that it always leaves dirty.
    @ParameterizedTest
    @ValueSource(strings = {"5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void marksAllCleanAfterAnExit(String tree) {
        long expected = 0;
        for (SortedMap<String, String> row : Reference.rows("vmcb_clean_bits.csv")) {
            String first = row.get("first_tree");
            String firstTree = first.substring(0, first.lastIndexOf('.'));
            if (row.get("always_dirty_in_kvm").equals("no")
                    && Trees.ALL.indexOf(firstTree) <= Trees.ALL.indexOf(tree)) {
                expected |= 1L << Integer.parseInt(row.get("bit"));
            }
        }
        Recording recording =
                VcpuScenario.on("EPYC-Milan").under("kvm-" + tree).run("- cpuid: {leaf: 1}\n");
        assertEquals(List.of(expected), recording.written(1, Layout.VMCB.named("clean")));
    }

    /// A write of a covered field is also the marking of its bit as dirty; another field's is not.
    @Test
    void writingMarksDirty() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(
                                "- cpuid: {leaf: 1}\n- mov-cr: {cr: 4, value: 0x406a4}\n- wrmsr: {msr: EFER, value: 0xd00}\n");
        MachineState machine = new MachineState(recording.machines().config());
        Field clean = Layout.VMCB.named("clean");
        for (var envelope : recording.envelopes()) {
            long before = machine.vcpu(0).image(1).get(clean);
            machine.apply(envelope);
            long after = machine.vcpu(0).image(1).get(clean);
            Event event = envelope.event();
            if (event instanceof VmcbFieldWritten(_, int id, _, long value)) {
                int bit = Layout.VMCB.field(id).cleanBit();
                long expected = id == clean.id() ? value : bit < 0 ? before : before & ~(1L << bit);
                assertEquals(expected, after, event.toString());
            }
        }
    }

    /// Another pCPU has cached nothing.
    @Test
    void everythingIsDirtyOnAnotherPcpu() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run("- cpuid: {leaf: 1}\n- preempt: {pcpu: 1}\n- run: 1\n");
        List<Long> written = recording.written(1, Layout.VMCB.named("clean"));
        assertEquals(0, written.getLast());
        assertEquals(1, recording.written(1, Layout.VMCB.named("asid")).getFirst());
    }
}
