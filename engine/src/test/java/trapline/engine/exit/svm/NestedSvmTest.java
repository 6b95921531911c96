package trapline.engine.exit.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.state.MsrBitmap;
import trapline.engine.table.Msrs;

/// Nesting on AMD: FACTS 1.10.
class NestedSvmTest {

    /// A platform on which SPEC_CTRL is software's.
    private static final String PLAIN = "EPYC-Rome,v-spec-ctrl=false";

    private static String nested(String choices, String... ops) {
        return "- nested: {"
                + choices
                + (choices.isEmpty() ? "" : ", ")
                + "do: ["
                + String.join(", ", ops)
                + "]}\n";
    }

    private static Recording run(String cpu, String policy, String program) {
        return VcpuScenario.on(cpu).under(policy).run(program);
    }

    private static NavigableSet<String> passed(MsrBitmap bitmap) {
        NavigableSet<String> passed = new TreeSet<>();
        for (int base : new int[] {0, 0xc000_0000, 0xc001_0000}) {
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

    private static final String[] ALWAYS = {
        "STAR",
        "LSTAR",
        "CSTAR",
        "SYSCALL_MASK",
        "FS_BASE",
        "GS_BASE",
        "KERNEL_GS_BASE",
        "IA32_SYSENTER_CS"
    };

    /// What 01 and 12 both pass comes through in the words of the list, and only there. SYSENTER_ESP and SYSENTER_EIP share their
    /// word with SYSENTER_CS, which 5.4 lists as well; it does not pass them in 01.
    @ParameterizedTest
    @ValueSource(strings = {"5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void mergesTheTreesWords(String tree) {
        Recording recording =
                run(
                        PLAIN,
                        "kvm-" + tree,
                        "- wrmsr: {msr: 0x48, value: 1}\n- wrmsr: {msr: 0x49, value: 1}\n"
                                + nested("", "run: 1"));
        NavigableSet<String> expected = both(ALWAYS);
        if (!tree.equals("5.4")) {
            expected.addAll(both("IA32_SYSENTER_ESP", "IA32_SYSENTER_EIP"));
        }
        expected.addAll(both("IA32_SPEC_CTRL"));
        expected.add("IA32_PRED_CMD:w");
        assertEquals(expected, passed(recording.vcpu().bitmap(2)));
        assertEquals(new NestedBitmapMerged(true), recording.only(NestedBitmapMerged.class));
    }

    /// Merging goes by the word, so that MSRs next to a listed one are merged, too: 16 to a word of 32 bits, 32 to one of 64.
    /// 0xc0000080 (EFER) lies in the word of STAR from 0xc0000080 on; 0xc0000090 in its 64-bit word only.
    @ParameterizedTest
    @CsvSource({
        // MSR, trees in which L2 gets it when 01 and 12 pass it
        "0xc0000080, all",
        "0xc000008f, all",
        "0xc0000090, 6.18+",
        "0xc000009f, 6.18+",
        "0xc00000a0, none",
        // SPEC_CTRL and PRED_CMD: 0x40 to 0x4f, to 0x5f.
        "0x40, all",
        "0x4f, all",
        "0x50, 6.18+",
        "0x60, none",
        // FLUSH_CMD, 0x10b, since 6.6.
        "0x100, 6.6+",
        "0x10f, 6.6+",
        "0x110, 6.18+",
        // APERF and MPERF, 0xe7 and 0xe8, since 6.18.
        "0xe7, 6.18+",
        "0xff, 6.18+",
        // CR_PAT, 0x277, from 5.15 to 6.12; XSS, 0xda0, in 6.12 alone, as TSC_AUX, 0xc0000103.
        "0x277, 5.15-6.12",
        "0xda0, 6.12",
        "0xdaf, 6.12",
        "0xdb0, none",
        // FS_BASE is 0xc0000100.
        "0xc0000103, all",
        "0xc0000110, 6.18+",
        // SEV_ES_GHCB, 0xc0010130, from 5.15 to 6.12.
        "0xc0010130, 5.15-6.12",
        "0xc001013f, 5.15-6.12",
        // The PMU of 7.1: K7_PERFCTR0, F15H_PERF_CTL0, AMD64_PERF_CNTR_GLOBAL_STATUS.
        "0xc0010004, 7.1",
        "0xc0010201, 7.1",
        "0xc0000300, 7.1",
        // LASTBRANCHFROMIP, 0x1db.
        "0x1d0, all",
        "0x1c0, 6.18+",
        "0x1e0, none"
    })
    void mergesByTheWord(String msr, String trees) {
        for (String tree : Trees.ALL) {
            Recording recording =
                    run(PLAIN, "kvm-" + tree + ",pass-through=+" + msr, nested("", "run: 1"));
            boolean expected = !trees.equals("none") && Trees.of(trees).contains("kvm-" + tree);
            int index = Integer.parseUnsignedInt(msr.substring(2), 16);
            assertFalse(recording.vcpu().bitmap(1).exits(index, true));
            assertEquals(!expected, recording.vcpu().bitmap(2).exits(index, true), tree);
            assertEquals(!expected, recording.vcpu().bitmap(2).exits(index, false), tree);
        }
    }

    /// 02 = 01 or 12, anew at every VMRUN, in all trees.
    @Test
    void mergesAnew() {
        for (String policy : Trees.of("all")) {
            String twice =
                    nested("", "run: 1")
                            + nested("intercept: {read: [FS_BASE], write: [STAR]}", "run: 1");
            NavigableSet<String> passed = passed(run(PLAIN, policy, twice).vcpu().bitmap(2));
            assertFalse(passed.contains("FS_BASE:r"), policy);
            assertTrue(passed.contains("FS_BASE:w"), policy);
            assertFalse(passed.contains("STAR:w"), policy);
            assertTrue(passed.contains("STAR:r"), policy);
        }
    }

    /// `msr-bitmap: false`: L1's map is all ones, and every access goes to it.
    @Test
    void mapOfOnesSendsEverythingToL1() {
        Recording recording =
                run(
                        PLAIN,
                        "kvm-6.1",
                        nested(
                                "intercept: {msr-bitmap: false}",
                                "rdmsr: FS_BASE",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "rdmsr: 0xc0012000"));
        assertEquals(List.of("msr", "msr", "msr", "hypercall"), recording.exitReasons(2));
        assertEquals(4, recording.all(NestedExited.class).size());
        assertEquals(0, recording.vcpu().kvm(Kvm.SPEC_CTRL));
    }

    /// Without MSR_PROT in vmcb12 nothing is merged: vmcb02 keeps vmcb01's map, and no access is L1's.
    @Test
    void withoutMsrProtVmcb02Has01sMap() {
        Recording recording =
                run(
                        PLAIN,
                        "kvm-6.1",
                        nested(
                                "intercept: {read: [FS_BASE]}, fields: {intercepts3: 0}",
                                "rdmsr: FS_BASE",
                                "rdmsr: IA32_TSC_DEADLINE",
                                "rdmsr: 0xc0012000",
                                "run: 1"));
        assertEquals(new NestedBitmapMerged(false), recording.only(NestedBitmapMerged.class));
        assertEquals(List.of("msr", "msr", "hypercall"), recording.exitReasons(2));
        assertEquals(1, recording.all(NestedExited.class).size());
        assertEquals(recording.field(1, "msrpm_base_pa"), recording.field(2, "msrpm_base_pa"));
        assertEquals(Outcome.GP, recording.all(MsrReadBack.class).getLast().outcome());
    }

    /// FACTS 1.8: what KVM asks while L2 runs is its merged map, also where the hardware uses 01's. With MSR_PROT off L2's writes
    /// reach the MSR unseen: nothing is read back, and what L2 wrote is lost to L1.
    @Test
    void losesWritesOfL2WithoutMsrProt() {
        Recording recording =
                run(
                        PLAIN,
                        "kvm-6.1",
                        "- wrmsr: {msr: 0x48, value: 1}\n"
                                + nested(
                                        "fields: {intercepts3: 0}",
                                        "wrmsr: {msr: 0x48, value: 5}",
                                        "rdmsr: 0x48",
                                        "in: {port: 0x21}",
                                        "rdmsr: 0x48")
                                + "- rdmsr: 0x48\n");
        assertEquals(
                List.of(5L, 1L, 1L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
        // h = 0: each exit of L2 restores, because KVM believes the guest has 1.
        assertEquals(List.of("io", "hypercall"), recording.exitReasons(2));
    }

    /// L2 writes first: its write exits to L0, lifts 01's interception, and L2 keeps exiting until the next VMRUN.
    @ParameterizedTest
    @ValueSource(strings = {"5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void l2WritesFirst(String tree) {
        Recording recording =
                run(
                        PLAIN,
                        "kvm-" + tree,
                        nested(
                                "intercept: {cpuid: true}",
                                "wrmsr: {msr: 0x48, value: 2}",
                                "wrmsr: {msr: 0x48, value: 3}",
                                "rdmsr: 0x48",
                                "cpuid: {leaf: 1}",
                                "wrmsr: {msr: 0x48, value: 1}",
                                "rdmsr: 0x48"));
        assertEquals(List.of("msr", "msr", "msr", "cpuid", "hypercall"), recording.exitReasons(2));
        assertEquals(2, recording.hostReads(0x48, HostCause.VALUE_CHECK));
        assertEquals(1, recording.intercepts(1, 0x48));
        assertEquals(1, recording.vcpu().kvm(Kvm.SPEC_CTRL));
    }

    /// APM vol. 2, MSR Intercepts: an MSR outside the map has no bits and always exits, so that L1 gets it whether it asks or not.
    @ParameterizedTest
    @ValueSource(strings = {"0xc0012000", "0x2000", "0xffffffff"})
    void msrOutsideTheMapIsL1s(String msr) {
        String asked = "intercept: {read: [%s], write: [%s]}".formatted(msr, msr);
        String[] ops = {"rdmsr: " + msr, "wrmsr: {msr: " + msr + ", value: 1}", "rdmsr: FS_BASE"};
        Recording recording = run(PLAIN, "kvm-6.1", nested(asked, ops));
        assertEquals(List.of("msr", "msr", "hypercall"), recording.exitReasons(2));
        assertEquals(3, recording.all(NestedExited.class).size());
    }

    /// FACTS 1.10: the processor's copy goes to vmcb02 at entry and back to vmcb01 at exit.
    @Test
    void carriesVirtualSpecCtrlAcross() {
        Recording recording =
                run(
                        "EPYC-Milan",
                        "kvm-6.1",
                        "- wrmsr: {msr: 0x48, value: 1}\n"
                                + nested("", "rdmsr: 0x48", "wrmsr: {msr: 0x48, value: 5}")
                                + "- rdmsr: 0x48\n- cpuid: {leaf: 1}\n");
        assertEquals(
                List.of(1L, 5L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
        assertEquals(5, recording.field(1, "spec_ctrl"));
        assertEquals(5, recording.field(2, "spec_ctrl"));
    }

    /// A VMRUN that fails never filled vmcb02: L1 keeps its value.
    @Test
    void failedVmrunKeepsVirtualSpecCtrl() {
        Recording recording =
                run(
                        "EPYC-Milan",
                        "kvm-6.1",
                        "- wrmsr: {msr: 0x48, value: 1}\n"
                                + nested("fields: {asid: 0}", "run: 1")
                                + "- rdmsr: 0x48\n- cpuid: {leaf: 1}\n");
        assertEquals(1, recording.only(VmEntryFailed.class).level() - 1);
        assertEquals(1, recording.only(MsrReadBack.class).value());
        assertEquals(1, recording.field(1, "spec_ctrl"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    # choices of L1                          | op of L2                               | exit        | to L1
                    ''                                       | 'cpuid: {leaf: 1}'                     | cpuid       | false
                    'intercept: {cpuid: true}'               | 'cpuid: {leaf: 1}'                     | cpuid       | true
                    ''                                       | 'xsetbv: {value: 1}'                   | xsetbv      | false
                    'fields: {intercepts4: 0x2003}'          | 'xsetbv: {value: 1}'                   | xsetbv      | true
                    ''                                       | vmmcall                                | hypercall   | true
                    ''                                       | 'rdmsr: 0x1234567'                     | msr         | true
                    ''                                       | 'rdmsr: IA32_TSC_DEADLINE'             | msr         | false
                    'intercept: {read: [IA32_TSC_DEADLINE]}' | 'rdmsr: IA32_TSC_DEADLINE'             | msr         | true
                    'intercept: {write: [FS_BASE]}'          | 'wrmsr: {msr: FS_BASE, value: 1}'      | msr         | true
                    'intercept: {write: [FS_BASE]}'          | 'rdmsr: FS_BASE'                       | ''          | false
                    ''                                       | hlt                                    | hlt         | false
                    'intercept: {hlt: true}'                 | hlt                                    | hlt         | true
                    ''                                       | 'in: {port: 0x21}'                     | io          | false
                    'intercept: {io: true}'                  | 'in: {port: 0x21}'                     | io          | true
                    ''                                       | 'mmio: {address: 0xfebd0000}'          | npf         | false
                    ''                                       | 'mov-cr: {cr: 3, value: 0x2000}'       | ''          | false
                    'fields: {intercepts0: 0x80000}'         | 'mov-cr: {cr: 3, value: 0x2000}'       | write_cr3   | true
                    ''                                       | 'mov-cr: {cr: 0, value: 0x80010033}'   | cr0_sel_write | false
                    'fields: {intercepts0: 0x10000}'         | 'mov-cr: {cr: 0, value: 0x80010033}'   | write_cr0   | true
                    'fields: {intercepts0: 0x10000}'         | 'mov-cr: {cr: 0, value: 0x8005003b}'   | write_cr0   | true
                    'fields: {intercepts3: 0x10000020}'      | 'mov-cr: {cr: 0, value: 0x80010033}'   | cr0_sel_write | true
                    'fields: {intercepts3: 0x10000020}'      | 'mov-cr: {cr: 0, value: 0x8005003b}'   | ''          | false
                    ''                                       | 'mov-cr: {cr: 4, value: 0x406a4}'      | write_cr4   | false
                    'fields: {intercepts0: 0x100000}'        | 'mov-cr: {cr: 4, value: 0x406a4}'      | write_cr4   | true
                    ''                                       | 'mov-cr: {cr: 8, value: 3}'            | ''          | false
                    'fields: {intercepts0: 0x1000000}'       | 'mov-cr: {cr: 8, value: 3}'            | write_cr8   | true
                    ''                                       | 'mov-dr: {dr: 0, value: 3}'            | write_dr0   | false
                    'fields: {intercepts1: 0x10000}'         | 'mov-dr: {dr: 0, value: 3}'            | write_dr0   | true
                    ''                                       | 'invlpg: 0x1000'                       | ''          | false
                    'fields: {intercepts3: 0x12000000}'      | 'invlpg: 0x1000'                       | invlpg      | true
                    ''                                       | rdtsc                                  | ''          | false
                    'fields: {intercepts3: 0x10004000}'      | rdtsc                                  | rdtsc       | true
                    ''                                       | pause                                  | ''          | false
                    ''                                       | 'invpcid: {type: 2}'                   | ''          | false
                    'fields: {intercepts5: 4}'               | 'invpcid: {type: 2}'                   | invpcid     | true
                    # VMLOAD of L2: intercepted by L0 as long as L2 has no virtual VMLOAD, on whatever hardware.
                    ''                                       | vmload                                 | vmload      | false
                    'fields: {intercepts4: 7}'               | vmload                                 | vmload      | true
                    ''                                       | vmsave                                 | vmsave      | false
                    """)
    void routesExitsOfL2(String choices, String op, String exit, boolean toL1) {
        for (String policy : Trees.of("all")) {
            Recording recording =
                    run("EPYC-Milan,v-spec-ctrl=false", policy, nested(choices, op, "run: 5"));
            List<String> exits = new ArrayList<>(recording.exitReasons(2));
            assertEquals("hypercall", exits.removeLast(), policy);
            assertEquals(exit.isEmpty() ? List.of() : List.of(exit), exits, policy);
            assertEquals(toL1 ? 2 : 1, recording.all(NestedExited.class).size(), policy);
            assertEquals(
                    toL1 ? 2 : 1,
                    recording.count(GuestEvent.class, e -> e.outcome() == Outcome.REFLECTED),
                    policy);
        }
    }

    /// VMMCALL of an L2 whose L1 does not intercept it is undefined there: by the hardware where L0 gives its own intercept up, and
    /// by L0 where it keeps it.
    @ParameterizedTest
    @CsvSource({"5.4-6.6, UD excp", "6.12, hypercall", "6.18, UD excp", "7.1, hypercall"})
    void vmmcallOfL2IsUndefinedUnlessL1WantsIt(String trees, String exit) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    run(
                            "EPYC-Milan",
                            policy,
                            nested("fields: {intercepts4: 1}", "vmmcall", "run: 1"));
            assertEquals(List.of(exit), recording.exitReasons(2).subList(0, 1), policy);
            assertEquals(
                    Outcome.UD,
                    recording.all(GuestEvent.HypercallMade.class).getFirst().outcome(),
                    policy);
            assertEquals(0, recording.all(NestedExited.class).size(), policy);
        }
    }

    /// PAUSE of L2: L0's filter, which 7.1 gives up unless L1 has one.
    @ParameterizedTest
    @CsvSource({
        "5.4-6.18, '', pause, false",
        "7.1, '', '', false",
        "all, 'fields: {intercepts3: 0x10800000}', pause, true"
    })
    void pauseOfL2ByTree(String trees, String choices, String exit, boolean toL1) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    run(
                            "EPYC-Milan",
                            policy,
                            nested(choices, "{repeat: 3001, do: [pause]}", "run: 1"));
            List<String> exits = new ArrayList<>(recording.exitReasons(2));
            assertEquals("hypercall", exits.removeLast(), policy);
            assertEquals(exit.isEmpty() ? List.of() : List.of(exit), exits, policy);
            assertEquals(toL1 ? 2 : 1, recording.all(NestedExited.class).size(), policy);
        }
    }

    /// FACTS 1.9: IBPB at nested exits of SVM since 6.18, unless IBRS keeps modes apart.
    @ParameterizedTest
    @CsvSource({
        "EPYC-Rome, {}, 5.4-6.12, 0",
        "EPYC-Rome, {}, 6.18+, 2",
        "EPYC-Rome, '{ibrs: false}', 6.18+, 0",
        "EPYC-Milan, {}, 6.18+, 0"
    })
    void barrierAtNestedExitByTree(String cpu, String guestCpu, String trees, int expected) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(policy)
                            .guestCpu(guestCpu)
                            .run(
                                    "- run: 1\n"
                                            + nested(
                                                    "intercept: {cpuid: true}",
                                                    "cpuid: {leaf: 1}",
                                                    "run: 1"));
            assertEquals(2, recording.all(NestedExited.class).size());
            // One more when the vCPU is loaded first.
            assertEquals(expected + 1, recording.hostWrites(0x49, HostCause.IBPB), policy);
        }
    }

    @Test
    void failedVmrunHasNoBarrier() {
        Recording recording =
                run("EPYC-Rome", "kvm-6.18", "- run: 1\n" + nested("fields: {asid: 0}", "run: 1"));
        assertEquals(1, recording.hostWrites(0x49, HostCause.IBPB));
    }

    /// Each check that vmcb12 can fail through a field of its own.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    efer: 0xd01                   | efer-svme
                    cr0: 0xa0050033               | cr0-nw-without-cd
                    cr0: 0x180050033              | cr0-high-bits
                    cr3: 0x1000000000000          | cr3-address
                    cr4: 0x1000406a0              | cr4-high-bits
                    dr6: 0x1ffff0ff0              | dr6-high-bits
                    dr7: 0x100000400              | dr7-high-bits
                    efer: 0x1d03                  | efer-reserved-bits
                    cr4: 0x40680                  | long-mode-without-pae
                    cr0: 0x80050032               | long-mode-without-pe
                    cs.attrib: 0xe9b              | long-mode-cs-l-and-d
                    intercepts4: 2                | vmrun-intercept
                    msrpm_base_pa: 0xffffffffe000 | msrpm-address
                    iopm_base_pa: 0x1000000000000 | iopm-address
                    event_inj: 0x80000131         | event-injection-type
                    event_inj: 0x80000302         | event-injection-type
                    event_inj: 0x80000320         | event-injection-type
                    asid: 0                       | asid-not-zero
                    """)
    void vmrunFailsAtTheNamedCheck(String fields, String check) {
        if (check.equals("msrpm-address")) {
            // The last map that fits ends with memory.
            assertEquals(
                    0,
                    run("EPYC-Milan", "kvm-6.1", nested("fields: {" + fields + "}", "run: 1"))
                            .all(VmEntryFailed.class)
                            .size());
            fields = "msrpm_base_pa: 0xfffffffff000";
        }
        Recording recording =
                run(
                        "EPYC-Milan",
                        "kvm-6.1",
                        nested("fields: {" + fields + "}", "run: 1") + "- run: 77\n");
        VmEntryFailed failed = recording.only(VmEntryFailed.class);
        assertEquals(check, failed.check());
        assertEquals(-1, failed.reason());
        assertEquals(-1, recording.field(12, "exit_code"));
        assertEquals(Outcome.DONE, recording.only(NestedEntered.class).outcome());
        assertEquals(1, recording.only(NestedExited.class).qualification() + 1);
        assertEquals(1, recording.vcpu().level());
        assertEquals(0, recording.all(UserspaceExited.class).size());
        assertEquals(77, recording.last(GuestEvent.InstructionsRetired.class).count());
        assertEquals(List.of(), recording.exitReasons(2));
    }

    /// L2's VMCB has an address space of its own, as has every other vCPU's on the same pCPU.
    @Test
    void addressSpacesAreNotShared() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .runEach(
                                "- run: 1\n- run: 1\n- run: 1\n"
                                        + nested("", "run: 1", "run: 1", "run: 1", "run: 1")
                                        + nested("", "run: 1"),
                                "- preempt: {pcpu: 0}\n- run: 1\n"
                                        + nested("", "run: 1", "run: 1")
                                        + "- run: 1\n- run: 1\n");
        TreeSet<Long> identifiers = new TreeSet<>();
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            for (int structure = 1; structure <= 2; structure++) {
                long asid =
                        recording
                                .machine()
                                .vcpu(vcpu)
                                .image(structure)
                                .get(recording.vcpu().vendor().layout().named("asid"));
                assertNotEquals(0, asid);
                assertTrue(identifiers.add(asid), "ASID " + asid + " is used twice");
            }
        }
    }

    /// VMLOAD and VMSAVE of L1 move the same state whether the hardware does it or L0.
    @ParameterizedTest
    @ValueSource(strings = {"EPYC-Milan", "EPYC-Milan,v-vmsave-vmload=false"})
    void vmloadMovesState(String cpu) {
        Recording recording =
                run(
                        cpu,
                        "kvm-6.1",
                        nested(
                                        "fields: {star: 0x1234, fs.base: 0x5000, kernel_gs_base: 0x7000}",
                                        "run: 1")
                                + """
                                - vmload
                                - rdmsr: STAR
                                - rdmsr: FS_BASE
                                - wrmsr: {msr: KERNEL_GS_BASE, value: 0x9000}
                                - vmsave
                                - cpuid: {leaf: 1}
                                """);
        assertEquals(
                List.of(0x1234L, 0x5000L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
        assertEquals(0x9000, recording.field(12, "kernel_gs_base"));
        assertEquals(0x9000, recording.field(1, "kernel_gs_base"));
        assertEquals(0x9000, recording.vcpu().register(Reg.KERNEL_GS_BASE));
    }

    /// L2's CR0 is what it wrote, though the hardware keeps caches on; L1 has its own again.
    @Test
    void savesCr0OfL2() {
        Recording recording =
                run(
                        "EPYC-Milan",
                        "kvm-6.1",
                        nested(
                                "",
                                "mov-cr: {cr: 0, value: 0xc0050033}",
                                "mov-cr: {cr: 0, value: 0xc005003b}",
                                "run: 1"));
        assertEquals(List.of("cr0_sel_write", "write_cr0", "hypercall"), recording.exitReasons(2));
        assertEquals(0xc005_003bL, recording.field(12, "cr0"));
        assertEquals(0x8005_0033L, recording.vcpu().register(Reg.CR0));
        assertEquals(0, recording.field(1, "intercepts0") & 0x10001);
    }
}
