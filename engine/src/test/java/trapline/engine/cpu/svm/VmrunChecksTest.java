package trapline.engine.cpu.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.Stamp;
import trapline.engine.state.MachineState;
import trapline.engine.table.Layout;

/// The checks of VMRUN: each can fail, and says so by its name.
class VmrunChecksTest {

    static Stream<String> wrong() {
        return Stream.of(
                "efer-svme: efer=0xd01",
                "cr0-nw-without-cd: cr0=0xa0050033",
                "cr0-high-bits: cr0=0x180050033",
                "cr3-address: cr3=0x1000000000000",
                "cr3-address: cr3=-0x8000000000000000",
                "cr4-high-bits: cr4=0x1000406a0",
                "dr6-high-bits: dr6=0x1ffff0ff0",
                "dr7-high-bits: dr7=0x100000400",
                "efer-reserved-bits: efer=0x1d03",
                "efer-reserved-bits: efer=0x401d01",
                "long-mode-without-pae: cr4=0x40680",
                "long-mode-without-pe: cr0=0x80050032",
                "long-mode-cs-l-and-d: cs.attrib=0xe9b",
                "vmrun-intercept: intercepts4=0",
                "msrpm-address: msrpm_base_pa=0xfffffffff000",
                "iopm-address: iopm_base_pa=0xffffffffe000",
                "event-injection-type: event_inj=0x80000131",
                "event-injection-type: event_inj=0x80000500",
                "event-injection-type: event_inj=0x80000302",
                "event-injection-type: event_inj=0x80000320",
                "asid-not-zero: asid=0");
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void failsByName(String row) {
        MachineState machine = machine();
        String change = row.substring(row.indexOf(':') + 2);
        int equals = change.indexOf('=');
        write(machine, change.substring(0, equals), Long.decode(change.substring(equals + 1)));
        assertEquals(
                row.substring(0, row.indexOf(':')),
                new VmrunChecks(machine).firstFailure(machine.vcpu(0).image(1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "efer=0x201d01",
                "cr0=0xe0050033",
                "event_inj=0x80000031",
                "event_inj=0x80000202",
                "event_inj=0x8000030d",
                "event_inj=0x80000421",
                "event_inj=0x100",
                "cs.attrib=0xc9b",
                "msrpm_base_pa=0xffffffffe000"
            })
    void passes(String change) {
        MachineState machine = machine();
        int equals = change.indexOf('=');
        write(machine, change.substring(0, equals), Long.decode(change.substring(equals + 1)));
        assertNull(new VmrunChecks(machine).firstFailure(machine.vcpu(0).image(1)));
    }

    @Test
    void everyCheckHasAWayToFail() {
        TreeSet<String> named = new TreeSet<>();
        wrong().forEach(row -> named.add(row.substring(0, row.indexOf(':'))));
        assertEquals(new TreeSet<>(new VmrunChecks(machine()).names()), named);
    }

    @Test
    void looksAgainAfterSoftwareWrote() {
        MachineState machine = machine();
        VmrunChecks checks = new VmrunChecks(machine);
        assertNull(checks.firstFailure(machine.vcpu(0)));
        write(machine, "asid", 0);
        assertEquals("asid-not-zero", checks.firstFailure(machine.vcpu(0)));
        write(machine, "asid", 1);
        assertNull(checks.firstFailure(machine.vcpu(0)));
    }

    private static MachineState machine() {
        return VcpuScenario.on("EPYC-Genoa").run("- run: 1\n").machine().copy();
    }

    private static void write(MachineState machine, String field, long value) {
        long order = machine.order() + 1;
        long seq = machine.vcpu(0).seq() + 1;
        Stamp stamp = new Stamp(order, 0, seq, 0, Stamp.Scope.VCPU, machine.vcpu(0).tick(), 1, 0);
        machine.apply(
                new Envelope(
                        stamp, new VmcbFieldWritten(1, Layout.VMCB.named(field).id(), 0, value)));
    }
}
