package trapline.engine.cpu.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Stamp;
import trapline.engine.state.MachineState;
import trapline.engine.table.Layout;

/// The checks of VM entry: each can fail, and says so by its name.
class EntryChecksTest {

    /// One wrong value in a VMCS that is otherwise right; more where one needs another.
    static Stream<String> wrong() {
        return Stream.of(
                "pin-based-controls-reserved-bits: PIN_BASED_VM_EXEC_CONTROL=0x17f",
                "primary-controls-reserved-bits: CPU_BASED_VM_EXEC_CONTROL=0",
                "secondary-controls-reserved-bits: SECONDARY_VM_EXEC_CONTROL=0x800000",
                "tertiary-controls-reserved-bits: TERTIARY_VM_EXEC_CONTROL=0x1",
                "exit-controls-reserved-bits: VM_EXIT_CONTROLS=0",
                "entry-controls-reserved-bits: VM_ENTRY_CONTROLS=0",
                "cr3-target-count: CR3_TARGET_COUNT=5",
                "msr-bitmap-address: MSR_BITMAP=0x1001",
                "msr-bitmap-address: MSR_BITMAP=0x400000000000",
                "virtual-apic-page-address: VIRTUAL_APIC_PAGE_ADDR=0x123",
                "nmi-exiting-and-virtual-nmis: PIN_BASED_VM_EXEC_CONTROL=0x77",
                "apic-access-address: APIC_ACCESS_ADDR=0x1",
                "x2apic-mode-needs-tpr-shadow: SECONDARY_VM_EXEC_CONTROL=0x13",
                "vpid-not-zero: VIRTUAL_PROCESSOR_ID=0",
                "ept-pointer: EPT_POINTER=0",
                "ept-pointer: EPT_POINTER=0x1005",
                "ept-pointer: EPT_POINTER=0x40000000001e",
                "unrestricted-guest-needs-ept: SECONDARY_VM_EXEC_CONTROL=0x80",
                "pt-use-gpa-needs-ept-and-rtit-ctl: SECONDARY_VM_EXEC_CONTROL=0x1000002",
                "entry-interruption-type: VM_ENTRY_INTR_INFO_FIELD=0x80000100",
                "entry-interruption-type: VM_ENTRY_INTR_INFO_FIELD=0x80000203",
                "entry-interruption-type: VM_ENTRY_INTR_INFO_FIELD=0x80000320",
                "entry-interruption-type: VM_ENTRY_INTR_INFO_FIELD=0x80001031",
                "host-cr0: HOST_CR0=0x80050013",
                "host-cr4: HOST_CR4=0x20",
                "host-cr3-address: HOST_CR3=0x400000000000",
                "host-cs-selector: HOST_CS_SELECTOR=0",
                "host-tr-selector: HOST_TR_SELECTOR=0",
                "host-rip-canonical: HOST_RIP=0x800000000000",
                "host-fs-base-canonical: HOST_FS_BASE=0x800000000000",
                "host-gs-base-canonical: HOST_GS_BASE=-0x800000000001",
                "host-pat: HOST_IA32_PAT=0x3",
                "host-efer: VM_EXIT_CONTROLS=0x2b6fff HOST_IA32_EFER=0x901",
                "host-efer: VM_EXIT_CONTROLS=0x2b6fff HOST_IA32_EFER=0xf03",
                "host-address-space-size: VM_EXIT_CONTROLS=0xb6dff",
                "host-address-space-size: HOST_CR4=0x2000",
                "guest-cr0: GUEST_CR0=0x80050013",
                "guest-cr0-pg-without-pe: GUEST_CR0=0x80000020",
                "guest-cr0-nw-without-cd: GUEST_CR0=0xa0050033",
                "guest-cr4: GUEST_CR4=0x406a0",
                "guest-ia32e-mode-needs-paging: GUEST_CR0=0x21",
                "guest-ia32e-mode-needs-paging: GUEST_CR4=0x2000",
                "guest-pcide-needs-ia32e-mode: VM_ENTRY_CONTROLS=0x51ff GUEST_CR4=0x22020",
                "guest-cr3-address: GUEST_CR3=0x400000000000",
                "guest-cr3-address: GUEST_CR3=-0x8000000000000000",
                "guest-dr7-high-bits: GUEST_DR7=0x100000400",
                "guest-pat: GUEST_IA32_PAT=0x800000000000000",
                "guest-efer: VM_ENTRY_CONTROLS=0xd3ff GUEST_IA32_EFER=0x901",
                "guest-efer: VM_ENTRY_CONTROLS=0xd3ff GUEST_IA32_EFER=0xc01",
                "guest-efer: VM_ENTRY_CONTROLS=0xd3ff GUEST_IA32_EFER=0xd03",
                "guest-fs-base-canonical: GUEST_FS_BASE=0x800000000000",
                "guest-gs-base-canonical: GUEST_GS_BASE=0x800000000000",
                "guest-sysenter-esp-canonical: GUEST_SYSENTER_ESP=0x800000000000",
                "guest-sysenter-eip-canonical: GUEST_SYSENTER_EIP=0x800000000000",
                "guest-rflags: GUEST_RFLAGS=0x200",
                "guest-rflags: GUEST_RFLAGS=0x400202",
                "guest-rflags-if-for-interrupt: GUEST_RFLAGS=2 VM_ENTRY_INTR_INFO_FIELD=0x80000031",
                "guest-activity-state: GUEST_ACTIVITY_STATE=4",
                "guest-interruptibility: GUEST_INTERRUPTIBILITY_INFO=0x20",
                "guest-rip-canonical: GUEST_RIP=0x800000000000",
                "vmcs-link-pointer: VMCS_LINK_POINTER=0");
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void failsByName(String row) {
        String name = row.substring(0, row.indexOf(':'));
        MachineState machine = machine();
        for (String change : row.substring(row.indexOf(':') + 2).split(" ")) {
            int equals = change.indexOf('=');
            write(machine, change.substring(0, equals), Long.decode(change.substring(equals + 1)));
        }
        EntryChecks checks = new EntryChecks(machine, scenario().platform());
        EntryChecks.Failure failure = checks.failure(machine.vcpu(0).image(1));
        assertEquals(name, failure.name());
        long reason = name.startsWith("host") ? 8 : isGuest(name) ? 0x8000_0021L : 7;
        assertEquals(reason, failure.reason());
        assertEquals(isGuest(name), failure.guestState());
    }

    private static boolean isGuest(String name) {
        return name.startsWith("guest") || name.startsWith("vmcs-link");
    }

    @Test
    void everyCheckHasAWayToFail() {
        TreeSet<String> named = new TreeSet<>();
        wrong().forEach(row -> named.add(row.substring(0, row.indexOf(':'))));
        EntryChecks checks = new EntryChecks(machine(), scenario().platform());
        assertEquals(new TreeSet<>(checks.names()), named);
    }

    @Test
    void newVmcsPasses() {
        MachineState machine = machine();
        EntryChecks checks = new EntryChecks(machine, scenario().platform());
        assertNull(checks.failure(machine.vcpu(0).image(1)));
    }

    /// Controls first, then host, then guest: the earliest failure is reported.
    @Test
    void checksInOrder() {
        MachineState machine = machine();
        EntryChecks checks = new EntryChecks(machine, scenario().platform());
        write(machine, "GUEST_RFLAGS", 0);
        assertEquals("guest-rflags", checks.firstFailure(machine.vcpu(0)).name());
        write(machine, "HOST_CR4", 0);
        assertEquals("host-cr4", checks.firstFailure(machine.vcpu(0)).name());
        write(machine, "CR3_TARGET_COUNT", 9);
        assertEquals("cr3-target-count", checks.firstFailure(machine.vcpu(0)).name());
    }

    /// What passed is looked at again after software wrote, and only then.
    @Test
    void looksAgainAfterSoftwareWrote() {
        MachineState machine = machine();
        EntryChecks checks = new EntryChecks(machine, scenario().platform());
        assertNull(checks.firstFailure(machine.vcpu(0)));
        assertNull(checks.firstFailure(machine.vcpu(0)));
        write(machine, "GUEST_RFLAGS", 0);
        assertEquals("guest-rflags", checks.firstFailure(machine.vcpu(0)).name());
        assertEquals("guest-rflags", checks.firstFailure(machine.vcpu(0)).name());
        write(machine, "GUEST_RFLAGS", 2);
        assertNull(checks.firstFailure(machine.vcpu(0)));
    }

    private static VcpuScenario scenario() {
        return VcpuScenario.on("SapphireRapids");
    }

    /// A machine with one vCPU that was made and loaded.
    private static MachineState machine() {
        Recording recording = scenario().run("- run: 1\n");
        return recording.machine().copy();
    }

    private static void write(MachineState machine, String field, long value) {
        long order = machine.order() + 1;
        long seq = machine.vcpu(0).seq() + 1;
        Stamp stamp = new Stamp(order, 0, seq, 0, Stamp.Scope.VCPU, machine.vcpu(0).tick(), 1, 0);
        machine.apply(
                new Envelope(
                        stamp, new VmcsFieldWritten(1, Layout.VMCS.named(field).id(), 0, value)));
    }
}
