package trapline.engine.exit.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.text.InputException;

/// The return-address predictor: what returns find, and when hardware and KVM clear it (FACTS 3).
class RapTest {

    private static final String TURIN = "EPYC-Turin";

    /// One round of the built-in guest: L1 is 12 calls deep when it enters L2, which returns from 4 calls of before, calls 10,
    /// is interrupted by an exit that L0 handles, and leaves 4 of the 10 behind.
    private static final String ROUND =
            """
            - call: 12
            - nested: {do: [ {ret: 4}, {call: 10}, {cpuid: {leaf: 1}}, {ret: 6} ]}
            - ret: 12
            """;

    private static VcpuScenario under(String choices) {
        return VcpuScenario.on(TURIN).under("kvm-7.1" + choices);
    }

    private static ReturnsPredicted found(Recording recording) {
        return recording.all(ReturnsPredicted.class).stream()
                .reduce(
                        new ReturnsPredicted(0, 0, 0, 0, 0),
                        (a, b) ->
                                new ReturnsPredicted(
                                        a.predicted() + b.predicted(),
                                        a.mispredicted() + b.mispredicted(),
                                        a.foreignLevel() + b.foreignLevel(),
                                        a.foreignVcpu() + b.foreignVcpu(),
                                        a.empty() + b.empty()));
    }

    private static String flushes(Recording recording) {
        SortedMap<RapCause, Long> counts = new TreeMap<>();
        recording
                .all(RapFlushed.class)
                .forEach(flushed -> counts.merge(flushed.cause(), 1L, Long::sum));
        return counts.toString();
    }

    /// off: nobody flushes. L2's 4 returns take L1's newest entries, L1's 12 find L2's 4 and then the 8 that L2 left, which are the
    /// right ones: 4 + 4 foreign, 6 + 8 predicted.
    ///
    /// v3 never flushes on the way into L2: 4 foreign, 6 predicted. The flag that the exits of L2 set in vmcb01 clears before L1
    /// returns: 12 empty.
    ///
    /// With a flush both ways L2's first 4 and L1's 12 find nothing: 16 empty.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "off; 14; 8; 0; {}",
                "v3; 6; 4; 12; {NESTED_EXIT=1}",
                "v3-opt1; 6; 4; 12; {NESTED_EXIT=1}",
                "v3-opt2; 6; 4; 12; {NESTED_EXIT=1}",
                "v3-opt3; 6; 4; 12; {NESTED_EXIT=1}",
                "entry-and-exit; 6; 0; 16; {NESTED_ENTRY=1, NESTED_EXIT=1}",
                "merged; 6; 0; 16; {NESTED_ENTRY=1, NESTED_EXIT=1}"
            })
    void flushesBetweenLevels(
            String variant, long predicted, long foreign, long empty, String flushes) {
        Recording recording = under(",eraps=" + variant).run(ROUND);
        assertEquals(new ReturnsPredicted(predicted, 0, foreign, 0, empty), found(recording));
        assertEquals(flushes, flushes(recording));
    }

    /// FACTS 3.4: nothing in v3 takes the flag out of vmcb01, so that every later VMRUN of L1 flushes as well. Here L1 exits twice
    /// after L2 did, once in the middle of 5 calls. 7.1 takes it out, and hardware may.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "EPYC-Turin; v3; 0; {NESTED_EXIT=1, STILL_SET=2}",
                "EPYC-Turin; merged; 5; {NESTED_ENTRY=1, NESTED_EXIT=1}",
                "EPYC-Turin,vmrun-resets-clear-rap=true; v3; 5; {NESTED_EXIT=1}"
            })
    void flagStaysSetInV3(String cpu, String variant, long predicted, String flushes) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-7.1,eraps=" + variant)
                        .run(
                                """
                                - nested: {do: [ {run: 1} ]}
                                - cpuid: {leaf: 1}
                                - call: 5
                                - cpuid: {leaf: 1}
                                - ret: 5
                                """);
        assertEquals(predicted, found(recording).predicted());
        assertEquals(flushes, flushes(recording));
    }

    /// L1 goes on after L2 with the flag set. Moved to pCPU 1, it gets a new ASID; preempted or asleep, its pCPU switches tasks. What
    /// takes the flag back saves the flush at the VMRUN that follows, and at the next.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "v3; 'preempt: {pcpu: 1}'; 2",
                "v3-opt1; 'preempt: {pcpu: 1}'; 0",
                "v3-opt2; 'preempt: {pcpu: 1}'; 2",
                "v3-opt3; 'preempt: {pcpu: 1}'; 2",
                "v3; 'preempt: {}'; 2",
                "v3-opt1; 'preempt: {}'; 2",
                "v3-opt2; 'preempt: {}'; 0",
                "v3-opt3; 'preempt: {}'; 2",
                "v3; hlt: ; 2",
                "v3-opt2; hlt: ; 0"
            })
    void optimizationsTakeTheFlagBack(String variant, String switched, long stillSet) {
        Recording recording =
                under(",eraps=" + variant)
                        .run(
                                """
                                - nested: {do: [ {cpuid: {leaf: 1}} ]}
                                - %s
                                - run: 1
                                - cpuid: {leaf: 1}
                                """
                                        .formatted(switched));
        assertEquals(
                stillSet, recording.count(RapFlushed.class, e -> e.cause() == RapCause.STILL_SET));
        assertEquals(1, recording.count(RapFlushed.class, e -> e.cause() == RapCause.NESTED_EXIT));
    }

    /// FACTS 3.3: vmcb02 gets CLEAR_RAP at each VMRUN of L1, not at each entry, and L1's size bit; vmcb01 at each exit that L1 gets.
    @Test
    void writesBothVmcbs() {
        Recording recording =
                under("")
                        .run(
                                """
                                - nested:
                                    fields: {erap_ctl: 3}
                                    do: [ {cpuid: {leaf: 1}}, {run: 1} ]
                                - cpuid: {leaf: 1}
                                """);
        assertEquals("[3, 1]", recording.written(2, Vmcb.ERAP_CONTROL).toString());
        assertEquals("[1, 3, 1]", recording.written(1, Vmcb.ERAP_CONTROL).toString());
    }

    /// An entry that fails VMRUN's checks is no exit of L2: L1 is not flushed.
    @Test
    void failedEntryFlushesNothing() {
        Recording recording =
                under("")
                        .run("- nested: {fields: {asid: 0}, do: [ {run: 1} ]}\n- cpuid: {leaf: 1}");
        assertEquals("{}", flushes(recording));
    }

    /// FACTS 3.2: 32 entries, or 64 with ALLOW_LARGER_RAP. L2 has the larger size if L1 and the variant say so; v3 leaves it at 32.
    @ParameterizedTest
    @CsvSource({"off, 32, 32", "v3, 64, 32", "entry-and-exit, 64, 64", "merged, 64, 64"})
    void sizes(String variant, long inL1, long inL2) {
        VcpuScenario machine = under(",eraps=" + variant);
        String program = "- call: 70\n- ret: 70\n";
        assertEquals(new ReturnsPredicted(inL1, 0, 0, 0, 70 - inL1), found(machine.run(program)));
        Recording nested =
                machine.run(
                        "- nested: {fields: {erap_ctl: 1}, do: [ {call: 70}, {ret: 70}, {run: 1} ]}");
        assertEquals(new ReturnsPredicted(inL2, 0, 0, 0, 70 - inL2), found(nested));
        Recording small = machine.run("- nested: {do: [ {call: 70}, {ret: 70} ]}");
        assertEquals(new ReturnsPredicted(32, 0, 0, 0, 38), found(small));
    }

    /// FACTS 3.1 and 3.3: bit 24 of EAX, the number of entries in bits 23:16 of EBX, both gone where userspace hides it; v3 only
    /// with NPT; and who sets the size bit.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "off; {}; false; 0",
                "v3; {}; true; 1",
                "v3,npt=off; {}; false; 0",
                "v3; {eraps: false}; false; 1",
                "entry-and-exit,npt=off; {}; false; 0",
                "merged; {}; true; 1",
                "merged,npt=off; {}; true; 1",
                "merged; {eraps: false}; false; 0"
            })
    void enumerates(String variant, String guestCpu, boolean shown, long control) {
        Recording recording =
                under(",eraps=" + variant).guestCpu(guestCpu).run("- cpuid: {leaf: 0x80000021}");
        CpuidExecuted cpuid = recording.only(CpuidExecuted.class);
        assertEquals(shown, (cpuid.eax() >>> 24 & 1) != 0);
        assertEquals(shown ? 64 << 16 : 0, cpuid.ebx());
        assertEquals(control, recording.field(1, "erap_ctl"));
    }

    /// FACTS 3.2 and 3.3. With NPT hardware sees MOV to CR3 and INVPCID and clears by itself, but for a single address. With shadow
    /// page tables KVM carries them out, and 7.1 has VMRUN clear in their stead; without that the entries would survive.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "merged; 'mov-cr: {cr: 3, value: 0x2000}'; 0; {IMPLICIT=1}",
                "merged; 'invpcid: {type: 0}'; 5; {}",
                "merged; 'invpcid: {type: 1}'; 0; {IMPLICIT=1}",
                "merged; 'invpcid: {type: 3}'; 0; {IMPLICIT=1}",
                "merged; 'invlpg: 0x1000'; 5; {}",
                "off; 'mov-cr: {cr: 3, value: 0x2000}'; 0; {IMPLICIT=1}",
                "merged,npt=off; 'mov-cr: {cr: 3, value: 0x2000}'; 0; {CR3_WRITE=1}",
                "merged,npt=off; 'invpcid: {type: 0}'; 5; {}",
                "merged,npt=off; 'invpcid: {type: 1}'; 0; {INVPCID=1}",
                "merged,npt=off; 'invpcid: {type: 2}'; 0; {GUEST_TLB_FLUSH=1}",
                "merged,npt=off; 'invpcid: {type: 3}'; 0; {GUEST_TLB_FLUSH=1}",
                "merged,npt=off; 'invlpg: 0x1000'; 5; {}",
                "entry-and-exit,npt=off; 'mov-cr: {cr: 3, value: 0x2000}'; 5; {}"
            })
    void contextSwitchesInTheGuest(String variant, String op, long predicted, String flushes) {
        Recording recording =
                under(",eraps=" + variant)
                        .guestCpu(variant.startsWith("off") ? "{}" : "{eraps: true}")
                        .run("- call: 5\n- %s\n- ret: 5\n".formatted(op));
        assertEquals(new ReturnsPredicted(predicted, 0, 0, 0, 5 - predicted), found(recording));
        assertEquals(flushes, flushes(recording));
    }

    /// Without NPT KVM has to see CR3, INVLPG, INVPCID and page faults, and moves what VMLOAD moves by itself
    /// (default_controls: init_vmcb without NPT).
    @Test
    void shadowPagingExits() {
        String program =
                """
                - mov-cr: {cr: 3, value: 0x8000000000002000}
                - invlpg: 0x1000
                - invpcid: {type: 2}
                - mmio: {address: 0xfebd0000, size: 4}
                - vmload: {address: 0x5000}
                """;
        Recording shadow =
                under(",npt=off")
                        .guestCpu("{pcid: true}")
                        .run("- mov-cr: {cr: 4, value: 0x206a0}\n" + program);
        assertEquals(
                "[write_cr4, write_cr3, invlpg, invpcid, PF excp, vmload]",
                shadow.exitReasons().toString());
        assertEquals(0x2000, shadow.field(1, "cr3"));
        assertEquals(0, shadow.field(1, "misc_ctl"));
        assertEquals(0, shadow.field(1, "nested_cr3"));
        Recording nested = under("").run("- mov-cr: {cr: 4, value: 0x206a0}\n" + program);
        assertEquals("[write_cr4, npf, vmload]", nested.exitReasons().toString());
    }

    /// L2 under shadow page tables: its MOV to CR3 exits to L0, which L1 does not see.
    @Test
    void shadowPagingOfL2() {
        Recording recording =
                under(",npt=off")
                        .run(
                                "- nested: {do: [ {call: 3}, {mov-cr: {cr: 3, value: 0x2000}}, {invlpg: 0}, {ret: 3} ]}");
        assertEquals("[write_cr3, invlpg, hypercall]", recording.exitReasons(2).toString());
        assertEquals("{NESTED_ENTRY=1, NESTED_EXIT=1, CR3_WRITE=1}", flushes(recording));
        assertEquals(new ReturnsPredicted(0, 0, 0, 0, 3), found(recording));
    }

    /// FACTS 3.2: entries have no ASID. Two vCPUs share pCPU 1: the barrier between them clears, if it does; without it vCPU 0 goes
    /// by what vCPU 1 pushed. One that was preempted finds that another process wrote CR3, if that clears; a sleep writes none.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "EPYC-Turin; 'run: 1'; 'preempt: {pcpu: 1}'; 0; 0; 3; {IBPB=1}",
                "EPYC-Turin,ibpb-clears-rap=false; 'run: 1'; 'preempt: {pcpu: 1}'; 0; 3; 0; {}",
                "EPYC-Turin; 'call: 3'; 'preempt: {}'; 0; 0; 3; {TASK_SWITCH=1}",
                "EPYC-Turin,task-switch-clears-rap=false; 'call: 3'; 'preempt: {}'; 3; 0; 0; {}",
                "EPYC-Turin; 'call: 3'; 'hlt: '; 3; 0; 0; {}"
            })
    void switchesOfTheHost(
            String cpu,
            String first,
            String then,
            long predicted,
            long foreign,
            long empty,
            String flushes) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-7.1")
                        .runEach(
                                "- %s\n- %s\n- ret: 3".formatted(first, then),
                                "- call: 7\n- run: 1");
        assertEquals(new ReturnsPredicted(predicted, 0, 0, foreign, empty), found(recording));
        assertEquals(flushes, flushes(recording));
    }

    /// The guest's own IBPB, which 7.1 passes through.
    @Test
    void ownBarrier() {
        Recording recording =
                under("").run("- call: 3\n- wrmsr: {msr: IA32_PRED_CMD, value: 1}\n- ret: 3");
        assertEquals("{IBPB=1}", flushes(recording));
        assertEquals(0, recording.exits());
    }

    /// Where entries are not tagged, the host fills the predictor after each exit: nothing of the guest is left.
    @ParameterizedTest
    @ValueSource(strings = {"EPYC-Milan", "Icelake-Server"})
    void untaggedPredictorIsFilledAtExit(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-7.1")
                        .run("- call: 40\n- ret: 2\n- cpuid: {leaf: 1}\n- ret: 3\n");
        assertEquals("{RSB_FILL=1}", flushes(recording));
        assertEquals(30, recording.only(RapFlushed.class).entries());
        assertEquals(new ReturnsPredicted(2, 0, 0, 0, 3), found(recording));
    }

    /// L2 returned past its own calls, so that L1's left entries are no longer those of the calls it returns from.
    @Test
    void tellsStaleEntries() {
        Recording recording =
                under(",eraps=off")
                        .run(
                                """
                                - call: 5
                                - nested: {do: [ {ret: 2} ]}
                                - ret: 3
                                """);
        // L2's 2 returns took the entries of calls 5 and 4; L1 returns from 5, 4 and 3 and finds
        // those of 3, 2 and 1.
        assertEquals(new ReturnsPredicted(0, 3, 2, 0, 0), found(recording));
    }

    /// TLB_CONTROL is written at each change of level; on a processor where that clears, v3 is safe by accident.
    @Test
    void tlbControlMayClear() {
        VcpuScenario machine =
                VcpuScenario.on(TURIN + ",tlb-control-clears-rap=true").under("kvm-7.1,eraps=v3");
        Recording recording = machine.run(ROUND);
        assertEquals(new ReturnsPredicted(6, 0, 0, 0, 16), found(recording));
        assertEquals("{NESTED_EXIT=1, TLB_CONTROL=1}", flushes(recording));
        assertEquals("[3, 0]", recording.written(2, Vmcb.TLB_CONTROL).toString());
        // L1 does not exit again.
        assertEquals("[3]", recording.written(1, Vmcb.TLB_CONTROL).toString());
    }

    /// Without flush by ASID KVM takes a new one instead.
    @Test
    void dropsTheAsid() {
        Recording recording =
                VcpuScenario.on(TURIN + ",flushbyasid=false").under("kvm-7.1").run(ROUND);
        assertEquals("[]", recording.written(2, Vmcb.TLB_CONTROL).toString());
        // vmcb01 has 1; vmcb02 gets 2, then 3 for the flush; L1 goes on with 4.
        assertEquals("[2, 3]", recording.written(2, Vmcb.ASID).toString());
        assertEquals("[1, 4]", recording.written(1, Vmcb.ASID).toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "EPYC-Genoa; merged; eraps=merged cannot apply to EPYC-Genoa: the platform has no ERAPS",
                "Icelake-Server; v3; eraps=v3 cannot apply to Icelake-Server: it is for AMD SVM only",
                "Icelake-Server; off; eraps=off cannot apply to Icelake-Server: it is for AMD SVM only"
            })
    void refusesOtherPlatforms(String cpu, String variant, String message) {
        VcpuScenario machine = VcpuScenario.on(cpu).under("kvm-7.1,eraps=" + variant);
        assertEquals(
                message,
                assertThrows(InputException.class, () -> machine.run("- run: 1")).getMessage());
    }

    /// A base that knows the feature does nothing about it where there is none.
    @Test
    void nothingWithoutTheFeature() {
        Recording recording = VcpuScenario.on("EPYC-Genoa").under("kvm-7.1").run(ROUND);
        assertEquals(0, recording.field(1, "erap_ctl"));
        assertEquals(0, recording.field(2, "erap_ctl"));
        assertEquals(0, found(recording).foreignLevel());
    }
}
