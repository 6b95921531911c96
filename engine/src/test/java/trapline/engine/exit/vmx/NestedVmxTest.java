package trapline.engine.exit.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.state.MsrBitmap;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// Nesting on Intel: FACTS 1.9.
class NestedVmxTest {

    private static VcpuScenario on(String cpu, String policy) {
        return VcpuScenario.on(cpu).under(policy);
    }

    private static Recording run(String policy, String program) {
        return on("Icelake-Server", policy).run(program);
    }

    private static String nested(String choices, String... ops) {
        return "- nested: {"
                + choices
                + (choices.isEmpty() ? "" : ", ")
                + "do: ["
                + String.join(", ", ops)
                + "]}\n";
    }

    /// Every access that a bitmap lets through, as `name:r` and `name:w`.
    private static NavigableSet<String> passed(MsrBitmap bitmap) {
        NavigableSet<String> passed = new TreeSet<>();
        for (int base : new int[] {0, 0xc000_0000}) {
            for (int msr = base; msr < base + 0x2000; msr++) {
                if (!bitmap.exits(msr, false)) {
                    passed.add(Msrs.name(msr) + ":r");
                }
                if (!bitmap.exits(msr, true)) {
                    passed.add(Msrs.name(msr) + ":w");
                }
            }
        }
        return passed;
    }

    private static NavigableSet<String> both(String... names) {
        NavigableSet<String> passed = new TreeSet<>();
        for (String name : names) {
            passed.add(name + ":r");
            passed.add(name + ":w");
        }
        return passed;
    }

    /// The list of the merge, tree by tree, when both 01 and 12 let everything on it through: SPEC_CTRL and PRED_CMD after
    /// L1's own writes, the others by the policy. What is not on the list (TSC, SYSENTER, STAR here) stays
    /// intercepted, though 01 and 12 let it through.
    @ParameterizedTest
    @ValueSource(strings = {"5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void mergesTheTreesList(String tree) {
        String all =
                "+STAR+IA32_FLUSH_CMD+IA32_APERF+IA32_MPERF+IA32_U_CET+IA32_S_CET+IA32_PL0_SSP+IA32_PL1_SSP"
                        + "+IA32_PL2_SSP+IA32_PL3_SSP+IA32_INT_SSP_TAB";
        Recording recording =
                run(
                        "kvm-" + tree + ",pass-through=" + all,
                        "- wrmsr: {msr: IA32_SPEC_CTRL, value: 1}\n- wrmsr: {msr: IA32_PRED_CMD, value: 1}\n"
                                + nested("", "run: 1"));
        NavigableSet<String> expected =
                both("FS_BASE", "GS_BASE", "KERNEL_GS_BASE", "IA32_SPEC_CTRL");
        expected.add("IA32_PRED_CMD:w");
        if (Trees.of("6.6+").contains("kvm-" + tree)) {
            expected.add("IA32_FLUSH_CMD:w");
        }
        if (Trees.of("6.18+").contains("kvm-" + tree)) {
            expected.add("IA32_APERF:r");
            expected.add("IA32_MPERF:r");
            expected.addAll(
                    both(
                            "IA32_U_CET",
                            "IA32_S_CET",
                            "IA32_PL0_SSP",
                            "IA32_PL1_SSP",
                            "IA32_PL2_SSP",
                            "IA32_PL3_SSP"));
        }
        assertEquals(expected, passed(recording.vcpu().bitmap(2)));
        assertEquals(new NestedBitmapMerged(true), recording.only(NestedBitmapMerged.class));
    }

    /// Set and clear: 02's bit is 01's or 12's, anew at every merge. 5.4 only clears: what was passed once stays so, and for the
    /// base registers 01 is not asked at all.
    @Test
    void ruleOfTheMergeByTree() {
        String twice =
                nested("", "run: 1")
                        + nested("intercept: {read: [FS_BASE], write: [GS_BASE]}", "run: 1");
        for (String policy : Trees.of("5.15+")) {
            NavigableSet<String> passed = passed(run(policy, twice).vcpu().bitmap(2));
            assertFalse(passed.contains("FS_BASE:r"), policy);
            assertTrue(passed.contains("FS_BASE:w"), policy);
            assertFalse(passed.contains("GS_BASE:w"), policy);
            assertTrue(passed.contains("GS_BASE:r"), policy);
            assertFalse(
                    passed(run(policy + ",pass-through=-FS_BASE", twice).vcpu().bitmap(2))
                            .contains("FS_BASE:w"));
        }
        NavigableSet<String> sticky = passed(run("kvm-5.4", twice).vcpu().bitmap(2));
        assertEquals(both("FS_BASE", "GS_BASE", "KERNEL_GS_BASE"), sticky);
        NavigableSet<String> unasked =
                passed(run("kvm-5.4,pass-through=-FS_BASE", twice).vcpu().bitmap(2));
        assertTrue(unasked.contains("FS_BASE:w"));
        // Intercepted by 12 from the first entry on: never cleared.
        String once = nested("intercept: {read: [FS_BASE]}", "run: 1");
        assertFalse(passed(run("kvm-5.4", once).vcpu().bitmap(2)).contains("FS_BASE:r"));
    }

    /// 5.4 merges SPEC_CTRL and PRED_CMD only while 01 passes writes of them; then 12's choice counts for each access.
    @Test
    void oldTreeAsksWhether01PassesWrites() {
        String l1Writes = "- wrmsr: {msr: IA32_SPEC_CTRL, value: 1}\n";
        String entry = nested("intercept: {write: [IA32_SPEC_CTRL]}", "run: 1");
        assertFalse(passed(run("kvm-5.4", entry).vcpu().bitmap(2)).contains("IA32_SPEC_CTRL:r"));
        NavigableSet<String> passed = passed(run("kvm-5.4", l1Writes + entry).vcpu().bitmap(2));
        assertTrue(passed.contains("IA32_SPEC_CTRL:r"));
        assertFalse(passed.contains("IA32_SPEC_CTRL:w"));
    }

    /// Without a bitmap in vmcs12 there is none in vmcs02, and every access goes to L1.
    @ParameterizedTest
    @ValueSource(strings = {"kvm-5.4", "kvm-6.1", "kvm-7.1"})
    void withoutBitmapEverythingGoesToL1(String policy) {
        Recording recording =
                run(
                        policy,
                        "- wrmsr: {msr: 0x48, value: 1}\n"
                                + nested(
                                        "intercept: {msr-bitmap: false}",
                                        "wrmsr: {msr: 0x48, value: 5}",
                                        "rdmsr: FS_BASE",
                                        "rdmsr: IA32_TSC_DEADLINE"));
        assertTrue(
                recording.all(NestedBitmapMerged.class).stream()
                        .noneMatch(NestedBitmapMerged::usable));
        assertEquals(List.of("MSR_WRITE", "MSR_READ", "MSR_READ", "VMCALL"), ofL2(recording));
        assertEquals(4, recording.all(NestedExited.class).size());
        assertEquals(
                0,
                recording.field(2, "CPU_BASED_VM_EXEC_CONTROL")
                        & Bits.control("CPU_BASED_USE_MSR_BITMAPS"));
        // L1 took the write, so the value that L0 keeps is still L1's own.
        assertEquals(1, recording.vcpu().register(Reg.SPEC_CTRL));
    }

    /// The names of L2's exits.
    private static List<String> ofL2(Recording recording) {
        return recording.exitReasons(2);
    }

    /// FACTS 1.7 and 1.9: L2 writes first. Its write exits to L0, which stores it and lifts 01's interception; vmcs02's bitmap is not
    /// touched, so L2's next write exits again; the CPUID takes L1 through another nested entry, which merges, and
    /// then L2 writes without an exit.
    @ParameterizedTest
    @ValueSource(strings = {"5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void l2WritesFirst(String tree) {
        Recording recording =
                run(
                        "kvm-" + tree,
                        nested(
                                "",
                                "wrmsr: {msr: 0x48, value: 2}",
                                "wrmsr: {msr: 0x48, value: 3}",
                                "rdmsr: 0x48",
                                "cpuid: {leaf: 1}",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "rdmsr: 0x48"));
        assertEquals(
                List.of("MSR_WRITE", "MSR_WRITE", "MSR_READ", "CPUID", "VMCALL"), ofL2(recording));
        assertEquals(
                List.of(Outcome.DONE, Outcome.DONE, Outcome.DONE),
                recording.all(MsrWritten.class).stream().map(MsrWritten::outcome).toList());
        assertEquals(2, recording.hostReads(0x48, HostCause.VALUE_CHECK));
        assertEquals(1, recording.intercepts(1, 0x48));
        assertEquals(1, recording.intercepts(2, 0x48));
        // What L2 wrote last without an exit was fetched at its VMCALL.
        assertEquals(1, recording.vcpu().kvm(trapline.engine.event.Kvm.SPEC_CTRL));
        assertEquals(2, recording.all(NestedExited.class).size());
        assertEquals(2, recording.all(NestedEntered.class).size());
    }

    /// FACTS 1.7: where v4 keeps interception, it does for L2's writes of IBRS too, whichever way they come. L1 never writes, so that
    /// 01 is lifted by L2's 3, and L2 has the MSR from the next nested entry on.
    @Test
    void l2WritesFirstUnderV4() {
        Recording recording =
                run(
                        "kvm-6.1,spec-ctrl=v4",
                        nested(
                                "",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "cpuid: {leaf: 1}",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "wrmsr: {msr: 0x48, value: 3}",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "cpuid: {leaf: 1}",
                                "wrmsr: {msr: 0x48, value: 1}"));
        assertEquals(
                List.of(
                        "MSR_WRITE",
                        "CPUID",
                        "MSR_WRITE",
                        "MSR_WRITE",
                        "MSR_WRITE",
                        "CPUID",
                        "VMCALL"),
                ofL2(recording));
        assertEquals(1, recording.intercepts(1, 0x48));
    }

    /// SDM vol. 3C, MSR-Bitmap Address: an MSR outside the ranges has no bits and always exits, so that L1 gets it whether it asks or
    /// not. 0xffffffff is no more all MSRs than any other.
    @ParameterizedTest
    @ValueSource(strings = {"0xc0012000", "0x2000", "0xffffffff", "0xc0010015"})
    void msrOutsideTheBitmapIsL1s(String msr) {
        String asked = "intercept: {read: [%s], write: [%s]}".formatted(msr, msr);
        String[] ops = {"rdmsr: " + msr, "wrmsr: {msr: " + msr + ", value: 1}", "rdmsr: FS_BASE"};
        Recording recording = run("kvm-6.1", nested(asked, ops));
        assertEquals(List.of("MSR_READ", "MSR_WRITE", "VMCALL"), ofL2(recording));
        assertEquals(3, recording.all(NestedExited.class).size());
        assertEquals(recording.exitReasons(2), run("kvm-6.1", nested("", ops)).exitReasons(2));
    }

    /// Which exits of L2 read the MSR back: only those while vmcs02 lets it write. h = 1.
    ///
    /// L2: w=2 exits (02 intercepts: no read), CPUID exits (no read); L1, whose bitmap was lifted, exits at VMRESUME (one
    /// read, and one for each VMWRITE of L1 that exits); L2 then w=3 in the guest; VMCALL exits (one read).
    @Test
    void readsBackByTheBitmapOfTheStructureThatRan() {
        Recording recording =
                run(
                        "kvm-6.1",
                        nested(
                                "",
                                "wrmsr: {msr: 0x48, value: 2}",
                                "cpuid: {leaf: 1}",
                                "wrmsr: {msr: 0x48, value: 3}"));
        List<String> reads = new ArrayList<>();
        String exit = "";
        for (Event event : recording.events()) {
            if (event instanceof VmExited e) {
                exit = e.level() + ":" + e.reason();
            }
            if (event.toString().contains("EXIT_SAVE")) {
                reads.add(exit);
            }
        }
        // Level 2: VMCALL (18). Level 1: VMRESUME (24); the fields that L1 touches there are
        // shadowed.
        assertEquals(List.of("1:24", "2:18"), reads);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    # choices of L1                          | op of L2                               | exit          | to L1
                    ''                                       | 'cpuid: {leaf: 1}'                     | CPUID         | true
                    ''                                       | 'xsetbv: {value: 1}'                   | XSETBV        | true
                    ''                                       | vmcall                                 | VMCALL        | true
                    ''                                       | 'rdmsr: 0x1234567'                     | MSR_READ      | true
                    ''                                       | 'rdmsr: 0xc0002000'                    | MSR_READ      | true
                    ''                                       | 'rdmsr: IA32_TSC_DEADLINE'             | MSR_READ      | false
                    'intercept: {read: [IA32_TSC_DEADLINE]}' | 'rdmsr: IA32_TSC_DEADLINE'             | MSR_READ      | true
                    'intercept: {write: [IA32_TSC_DEADLINE]}' | 'rdmsr: IA32_TSC_DEADLINE'            | MSR_READ      | false
                    'intercept: {write: [FS_BASE]}'          | 'wrmsr: {msr: FS_BASE, value: 1}'      | MSR_WRITE     | true
                    'intercept: {write: [FS_BASE]}'          | 'rdmsr: FS_BASE'                       | ''            | false
                    ''                                       | 'wrmsr: {msr: FS_BASE, value: 1}'      | ''            | false
                    ''                                       | hlt                                    | HLT           | false
                    'intercept: {hlt: true}'                 | hlt                                    | HLT           | true
                    ''                                       | 'in: {port: 0x21}'                     | IO_INSTRUCTION | false
                    'intercept: {io: true}'                  | 'in: {port: 0x21}'                     | IO_INSTRUCTION | true
                    ''                                       | 'mmio: {address: 0xfebd0000}'          | EPT_VIOLATION | false
                    ''                                       | 'mmio: {address: 0xfee00300}'          | EPT_VIOLATION | false
                    ''                                       | 'mov-cr: {cr: 3, value: 0x2000}'       | ''            | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x1400e172}' | 'mov-cr: {cr: 3, value: 0x2000}' | CR_ACCESS  | true
                    ''                                       | 'mov-cr: {cr: 0, value: 0x80010033}'   | CR_ACCESS     | false
                    'fields: {CR0_GUEST_HOST_MASK: 0x40000, CR0_READ_SHADOW: 0x40000}' | 'mov-cr: {cr: 0, value: 0x80010033}' | CR_ACCESS | true
                    ''                                       | 'mov-cr: {cr: 8, value: 3}'            | CR_ACCESS     | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x14086172}' | 'mov-cr: {cr: 8, value: 3}'   | CR_ACCESS     | true
                    ''                                       | 'mov-dr: {dr: 0, value: 3}'            | DR_ACCESS     | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x14806172}' | 'mov-dr: {dr: 0, value: 3}'   | DR_ACCESS     | true
                    ''                                       | 'invlpg: 0x1000'                       | ''            | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x14006372}' | 'invlpg: 0x1000'              | INVLPG        | true
                    ''                                       | rdtsc                                  | ''            | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x14007172}' | rdtsc                         | RDTSC         | true
                    ''                                       | pause                                  | ''            | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x54006172}' | pause                         | PAUSE_INSTRUCTION | true
                    # INVPCID is L1's to enable: without its control the instruction is undefined, and #UD is L0's first.
                    ''                                       | 'invpcid: {type: 2}'                   | EXCEPTION_NMI | false
                    'fields: {EXCEPTION_BITMAP: 0x40}'       | 'invpcid: {type: 2}'                   | EXCEPTION_NMI | true
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x1000}' | 'invpcid: {type: 2}' | '' | false
                    'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x94006372, SECONDARY_VM_EXEC_CONTROL: 0x1000}' | 'invpcid: {type: 2}' | INVPCID | true
                    """)
    void routesExitsOfL2(String choices, String op, String exit, boolean toL1) {
        for (String policy : Trees.of("all")) {
            Recording recording = run(policy, nested(choices, op, "run: 5"));
            List<String> exits = new ArrayList<>(ofL2(recording));
            assertEquals("VMCALL", exits.removeLast(), policy);
            assertEquals(exit.isEmpty() ? List.of() : List.of(exit), exits, policy);
            assertEquals(toL1 ? 2 : 1, recording.all(NestedExited.class).size(), policy);
            long reflected =
                    recording.count(GuestEvent.class, e -> e.outcome() == Outcome.REFLECTED);
            assertEquals(toL1 ? 2 : 1, reflected, policy);
        }
    }

    /// Interrupts are L0's, also when they are for the guest: L1 gets none here, so L2 is interrupted.
    @Test
    void interruptsOfL2AreL0s() {
        Recording recording =
                run(
                        "kvm-6.1",
                        nested(
                                "",
                                "run: 1",
                                "host-interrupt: {vector: 0xec}",
                                "run: 1",
                                "interrupt: {vector: 0x31}",
                                "run: 1"));
        assertEquals(
                List.of("EXTERNAL_INTERRUPT", "EXTERNAL_INTERRUPT", "VMCALL"), ofL2(recording));
        assertEquals(0x31, recording.only(EventInjected.class).vector());
        assertEquals(1, recording.all(NestedExited.class).size());
    }

    /// HLT of L2 that L1 does not want: L0 puts the vCPU, and its wake-up enters L2 again.
    @Test
    void l2SleepsInL0() {
        Recording recording =
                run("kvm-6.1", nested("", "hlt", "interrupt: {vector: 0x31}", "run: 3"));
        assertEquals(1, recording.all(VcpuPut.class).size());
        assertEquals(List.of("HLT", "VMCALL"), ofL2(recording));
        assertEquals(1, recording.all(NestedEntered.class).size());
    }

    /// PAUSE loops of L2 are L0's, unless L1 asked for PAUSE or for loops; a bit in controls that are not activated is no
    /// request.
    @ParameterizedTest
    @CsvSource({
        "'', false",
        "'fields: {SECONDARY_VM_EXEC_CONTROL: 0x400}', false",
        "'fields: {CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x400, PLE_GAP: 128, PLE_WINDOW: 4096}', true"
    })
    void routesPauseLoops(String choices, boolean toL1) {
        Recording recording =
                run(
                        "kvm-6.1",
                        nested(choices, "repeat: 42, do: [ {run: 99}, pause ]")
                                .replace("repeat: 42", "{repeat: 42")
                                .replace("pause ]]", "pause ]}]"));
        assertEquals(List.of("PAUSE_INSTRUCTION", "VMCALL"), ofL2(recording));
        assertEquals(toL1 ? 2 : 1, recording.all(NestedExited.class).size());
    }

    /// FACTS 1.9: IBPB at nested exits.
    @ParameterizedTest
    @CsvSource({
        "{}, 5.4-5.15, 0",
        "{}, 6.1+, 2",
        "{spec-ctrl: false}, 6.1-6.12, 0",
        "{spec-ctrl: false}, 6.18+, 2",
        "'{spec-ctrl: false, ibrs: false}', 6.18+, 0"
    })
    void barrierAtNestedExitByTree(String guestCpu, String trees, int expected) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    on("Icelake-Server", policy)
                            .guestCpu(guestCpu)
                            .run("- run: 1\n" + nested("", "cpuid: {leaf: 1}", "run: 1"));
            // One more when the vCPU is loaded first.
            assertEquals(2, recording.all(NestedExited.class).size());
            assertEquals(expected + 1, recording.hostWrites(0x49, HostCause.IBPB), policy);
        }
    }

    /// A host that cannot do an IBPB does none, whatever the guest is shown.
    @Test
    void hostWithoutIbpbHasNoBarrier() {
        Recording recording =
                on("Icelake-Server,spec-ctrl=false", "kvm-7.1")
                        .guestCpu("{spec-ctrl: true}")
                        .run(nested("", "run: 1"));
        assertEquals(0, recording.hostWrites(0x49, HostCause.IBPB));
    }

    /// L2 that never ran leaves nothing behind: no barrier.
    @ParameterizedTest
    @CsvSource({"'fields: {GUEST_RFLAGS: 0}'", "'fields: {HOST_CR4: 0}'"})
    void failedEntryHasNoBarrier(String choices) {
        Recording recording = run("kvm-7.1", "- run: 1\n" + nested(choices, "run: 1"));
        assertEquals(1, recording.hostWrites(0x49, HostCause.IBPB));
    }

    /// Each check that vmcs12 can fail through a field of its own: its name, how L1 hears of it, and L1 goes on.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    # controls: VM-instruction error 7
                    PIN_BASED_VM_EXEC_CONTROL: 0                              | pin-based-controls-reserved-bits   | 7
                    CPU_BASED_VM_EXEC_CONTROL: 0                              | primary-controls-reserved-bits     | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x800000' | secondary-controls-reserved-bits | 7
                    VM_EXIT_CONTROLS: 0                                       | exit-controls-reserved-bits        | 7
                    VM_ENTRY_CONTROLS: 0                                      | entry-controls-reserved-bits       | 7
                    CR3_TARGET_COUNT: 5                                       | cr3-target-count                   | 7
                    MSR_BITMAP: 0x1001                                        | msr-bitmap-address                 | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x14206172, VIRTUAL_APIC_PAGE_ADDR: 1' | virtual-apic-page-address | 7
                    PIN_BASED_VM_EXEC_CONTROL: 0x36                           | nmi-exiting-and-virtual-nmis       | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 1, APIC_ACCESS_ADDR: 1' | apic-access-address | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x10' | x2apic-mode-needs-tpr-shadow | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x20' | vpid-not-zero       | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 2' | ept-pointer            | 7
                    'CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x80' | unrestricted-guest-needs-ept | 7
                    VM_ENTRY_INTR_INFO_FIELD: 0x80000100                      | entry-interruption-type            | 7
                    VM_ENTRY_INTR_INFO_FIELD: 0x80001020                      | entry-interruption-type            | 7
                    # host state: VM-instruction error 8
                    HOST_CR0: 0                                               | host-cr0                           | 8
                    HOST_CR4: 0                                               | host-cr4                           | 8
                    HOST_CR3: 0x4000000000000                                 | host-cr3-address                   | 8
                    HOST_CS_SELECTOR: 0                                       | host-cs-selector                   | 8
                    HOST_TR_SELECTOR: 0                                       | host-tr-selector                   | 8
                    HOST_RIP: 0x800000000000                                  | host-rip-canonical                 | 8
                    HOST_FS_BASE: 0x800000000000                              | host-fs-base-canonical             | 8
                    HOST_GS_BASE: 0x800000000000                              | host-gs-base-canonical             | 8
                    'VM_EXIT_CONTROLS: 0xb6ffb, HOST_IA32_PAT: 2'             | host-pat                           | 8
                    'VM_EXIT_CONTROLS: 0x236ffb, HOST_IA32_EFER: 0x901'       | host-efer                          | 8
                    HOST_CR4: 0x2000                                          | host-address-space-size            | 8
                    # guest state: entry fails with reason 0x80000021
                    GUEST_CR0: 0                                              | guest-cr0                          | 0x80000021
                    GUEST_CR0: 0xa0050033                                     | guest-cr0-nw-without-cd            | 0x80000021
                    GUEST_CR4: 0x20                                           | guest-cr4                          | 0x80000021
                    GUEST_CR4: 0x2000                                         | guest-ia32e-mode-needs-paging      | 0x80000021
                    'VM_ENTRY_CONTROLS: 0x11fb, GUEST_CR4: 0x22020'           | guest-pcide-needs-ia32e-mode       | 0x80000021
                    GUEST_CR3: 0x4000000000000                                | guest-cr3-address                  | 0x80000021
                    'VM_ENTRY_CONTROLS: 0x13ff, GUEST_DR7: 0x100000000'       | guest-dr7-high-bits                | 0x80000021
                    'VM_ENTRY_CONTROLS: 0x53fb, GUEST_IA32_PAT: 2'            | guest-pat                          | 0x80000021
                    'VM_ENTRY_CONTROLS: 0x93fb, GUEST_IA32_EFER: 0x100'       | guest-efer                         | 0x80000021
                    GUEST_FS_BASE: 0x800000000000                             | guest-fs-base-canonical            | 0x80000021
                    GUEST_GS_BASE: 0x800000000000                             | guest-gs-base-canonical            | 0x80000021
                    GUEST_SYSENTER_ESP: 0x800000000000                        | guest-sysenter-esp-canonical       | 0x80000021
                    GUEST_SYSENTER_EIP: 0x800000000000                        | guest-sysenter-eip-canonical       | 0x80000021
                    GUEST_RFLAGS: 0                                           | guest-rflags                       | 0x80000021
                    GUEST_RFLAGS: 0x8202                                      | guest-rflags                       | 0x80000021
                    'GUEST_RFLAGS: 2, VM_ENTRY_INTR_INFO_FIELD: 0x80000031'   | guest-rflags-if-for-interrupt      | 0x80000021
                    GUEST_ACTIVITY_STATE: 4                                   | guest-activity-state               | 0x80000021
                    GUEST_INTERRUPTIBILITY_INFO: 0x20                         | guest-interruptibility             | 0x80000021
                    GUEST_RIP: 0x800000000000                                 | guest-rip-canonical                | 0x80000021
                    VMCS_LINK_POINTER: 0                                      | vmcs-link-pointer                  | 0x80000021
                    """)
    void entryFailsAtTheNamedCheck(String fields, String check, String reason) {
        Recording recording =
                run("kvm-6.1", nested("fields: {" + fields + "}", "run: 1") + "- run: 77\n");
        VmEntryFailed failed = recording.only(VmEntryFailed.class);
        assertEquals(check, failed.check());
        assertEquals(Long.decode(reason), failed.reason());
        assertEquals(2, failed.level());
        NestedEntered entered = recording.only(NestedEntered.class);
        if (Long.decode(reason) < 100) {
            assertEquals(Outcome.FAILED, entered.outcome());
            assertEquals(Long.decode(reason), recording.field(12, "VM_INSTRUCTION_ERROR"));
            assertEquals(0, recording.all(NestedExited.class).size());
        } else {
            assertEquals(Outcome.DONE, entered.outcome());
            assertEquals(Long.decode(reason), recording.field(12, "VM_EXIT_REASON"));
            assertEquals(1, recording.all(NestedExited.class).size());
        }
        // L1 runs on.
        assertEquals(1, recording.vcpu().level());
        assertEquals(0, recording.all(UserspaceExited.class).size());
        assertEquals(77, recording.last(GuestEvent.InstructionsRetired.class).count());
        assertEquals(List.of(), ofL2(recording));
    }

    /// DR7 is only looked at, and loaded, with the control that says so.
    @Test
    void checksDr7OnlyWhereItIsLoaded() {
        Recording recording = run("kvm-6.1", nested("fields: {GUEST_DR7: 0x100000000}", "run: 1"));
        assertEquals(0, recording.all(VmEntryFailed.class).size());
    }

    /// What vmcs12 does not load comes from L1: nothing that L1 left in an unused field stops vmcs02.
    @ParameterizedTest
    @ValueSource(strings = {"GUEST_IA32_PAT: 2", "GUEST_IA32_EFER: 0", "GUEST_DR7: 0x100000000"})
    void ignoresFieldsThatVmcs12DoesNotLoad(String field) {
        for (String before : List.of("", "- wrmsr: {msr: EFER, value: 0xd00}\n")) {
            Recording recording =
                    run(
                            "kvm-6.1",
                            before
                                    + nested(
                                            "fields: {" + field + "}",
                                            "cpuid: {leaf: 1}",
                                            "run: 1"));
            assertEquals(0, recording.all(VmEntryFailed.class).size());
            assertEquals(List.of("CPUID", "VMCALL"), ofL2(recording));
            assertEquals(0x0007_0406_0007_0406L, recording.field(2, "GUEST_IA32_PAT"));
        }
    }

    /// VMLAUNCH is for a VMCS that is not launched: after a failed one it is still the right one.
    @ParameterizedTest
    @ValueSource(strings = {"HOST_CR4: 0", "GUEST_RFLAGS: 0"})
    void failedLaunchDoesNotCountAsLaunch(String field) {
        Recording recording =
                run(
                        "kvm-6.1",
                        nested("fields: {" + field + "}", "run: 1")
                                + nested(
                                        "fields: {HOST_CR4: 0x426a0, GUEST_RFLAGS: 0x202}",
                                        "run: 1")
                                + nested("", "run: 1"));
        assertEquals(
                List.of("VMLAUNCH", "VMLAUNCH", "VMRESUME"),
                recording.all(NestedEntered.class).stream()
                        .map(e -> e.instruction().name())
                        .toList());
        assertEquals(List.of("VMCALL", "VMCALL"), ofL2(recording));
    }

    /// With shadow VMCS L1's accesses of shadowed fields are no exits; without, each one is.
    @Test
    void shadowVmcsSavesExits() {
        String program = nested("", "cpuid: {leaf: 1}", "cpuid: {leaf: 1}");
        Recording shadowed = run("kvm-6.1", program);
        assertEquals(0, shadowed.exits("VMREAD"));
        long unshadowed = shadowed.exits("VMWRITE");
        Recording plain =
                on("no-shadow.yaml", "kvm-6.1")
                        .platformFile(
                                "extends: Icelake-Server\nplatform: no-shadow\nwithout-controls: [SECONDARY_EXEC_SHADOW_VMCS]\n")
                        .run(program);
        // Each exit that L1 gets: VMREAD of the reason, VMWRITE of the RIP.
        assertEquals(2, plain.exits("VMREAD"));
        assertTrue(plain.exits("VMWRITE") > unshadowed + 2);
        assertEquals(plain.vcpu().register(Reg.RIP), shadowed.vcpu().register(Reg.RIP));
    }

    /// L1's CR0 and CR4 as L2 left them: what L0 owns is taken from the shadow.
    @Test
    void savesControlRegistersOfL2() {
        Recording recording =
                run(
                        "kvm-6.1",
                        nested(
                                "",
                                "mov-cr: {cr: 0, value: 0xc0050033}",
                                "mov-cr: {cr: 4, value: 0x1426a0}",
                                "run: 1"));
        assertEquals(0xc005_0033L, recording.field(12, "GUEST_CR0"));
        assertEquals(0x14_26a0L, recording.field(12, "GUEST_CR4"));
        // L1 has its own again.
        assertEquals(0x8005_0033L, recording.vcpu().register(Reg.CR0));
        assertEquals(0x4_26a0L, recording.vcpu().register(Reg.CR4));
    }

    /// SPEC_CTRL is one variable for L1 and L2: nothing is saved or restored at nested transitions.
    @Test
    void sharesSpecCtrl() {
        Recording recording =
                run(
                        "kvm-6.1",
                        "- wrmsr: {msr: 0x48, value: 1}\n"
                                + nested("", "rdmsr: 0x48", "wrmsr: {msr: 0x48, value: 5}")
                                + "- rdmsr: 0x48\n");
        assertEquals(
                List.of(1L, 5L),
                recording.all(GuestEvent.MsrReadBack.class).stream()
                        .map(GuestEvent.MsrReadBack::value)
                        .toList());
    }

    /// #GP of L2 that L0 finds is injected into L2.
    @Test
    void faultOfL2StaysInL2() {
        Recording recording =
                run("kvm-6.1", nested("", "wrmsr: {msr: 0x48, value: 0x400}", "run: 1"));
        assertEquals(Outcome.GP, recording.only(MsrWritten.class).outcome());
        assertEquals(13, recording.only(EventInjected.class).vector());
        assertEquals(1, recording.all(NestedExited.class).size());
    }
}
