package trapline.engine.exit.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.exit.OneOp;

/// The table of ops, on AMD.
class SvmOpsTest {

    // spotless:off
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock =
            """
            # trees  | before                               | op                                               | exits     | user | RIP | outcome
            all      |                                      | - wrmsr: {msr: IA32_TSC_DEADLINE, value: 9}      | 0x7c      | -1 | 2 | DONE
            all      |                                      | - wrmsr: {msr: 0xc0012000, value: 9}             | 0x7c      | -1 | 0 | GP
            all      |                                      | - wrmsr: {msr: 0x2000, value: 9}                 | 0x7c      | -1 | 0 | GP
            all      |                                      | - wrmsr: {msr: FS_BASE, value: 0x1000}           |           | -1 | 2 | DONE
            all      |                                      | - wrmsr: {msr: STAR, value: 0x1000}              |           | -1 | 2 | DONE
            all      |                                      | - rdmsr: KERNEL_GS_BASE                          |           | -1 | 2 | DONE
            all      |                                      | - wrmsr: {msr: IA32_SYSENTER_CS, value: 0x10}    |           | -1 | 2 | DONE
            # direct_access_msrs has SYSENTER_ESP and SYSENTER_EIP since 5.15.
            5.4      |                                      | - wrmsr: {msr: IA32_SYSENTER_ESP, value: 0x10}   | 0x7c      | -1 | 2 | DONE
            5.15+    |                                      | - wrmsr: {msr: IA32_SYSENTER_ESP, value: 0x10}   |           | -1 | 2 | DONE
            all      |                                      | - rdmsr: IA32_TSC                                | 0x7c      | -1 | 2 | DONE
            all      |                                      | - rdmsr: IA32_TSC_DEADLINE                       | 0x7c      | -1 | 2 | DONE
            all      |                                      | - cpuid: {leaf: 1}                               | 0x72      | -1 | 2 | DONE
            all      |                                      | - in: {port: 0x3f8}                              | 0x7b      | 2  | 1 | DONE
            all      |                                      | - out: {port: 0x3f8, value: 1}                   | 0x7b      | 2  | 1 | DONE
            all      |                                      | - in: {port: 0x4d0}                              | 0x7b      | -1 | 1 | DONE
            all      |                                      | - mmio: {address: 0xfebd0000, size: 4}           | 0x400     | 6  | 3 | DONE
            all      | '- mmio: {address: 0xfebd0000}'      | - mmio: {address: 0xfebd0ff8, size: 8, write: 1} | 0x400     | 6  | 3 | DONE
            all      |                                      | - mmio: {address: 0xfee000b0, write: 0}          | 0x400     | -1 | 3 | DONE
            all      |                                      | - mmio: {address: 0xfec00010, size: 4}           | 0x400     | -1 | 3 | DONE
            all      |                                      | - vmmcall                                        | 0x81      | -1 | 3 | DONE
            all      |                                      | - vmcall                                         | 0x46 0x81 | -1 | 3 | DONE
            # CR0: selective, all but TS and MP; with CD or NW set, every write.
            all      |                                      | - mov-cr: {cr: 0, value: 0x8005003b}             |           | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 0, value: 0x80050031}             |           | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 0, value: 0x80040033}             | 0x65      | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 0, value: 0xc0050033}             | 0x65      | -1 | 3 | DONE
            all      | '- mov-cr: {cr: 0, value: 0xc0050033}' | - mov-cr: {cr: 0, value: 0xc005003b}           | 0x10      | -1 | 3 | DONE
            all      | '- mov-cr: {cr: 0, value: 0xc0050033}' | - mov-cr: {cr: 0, value: 0x80050033}           | 0x10      | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 0, value: 0x50033}                | 0x65      | -1 | 0 | GP
            all      |                                      | - mov-cr: {cr: 0, value: 0xa0050033}             | 0x65      | -1 | 0 | GP
            all      |                                      | - mov-cr: {cr: 2, value: 0x1234}                 |           | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 3, value: 0x2000}                 |           | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 3, value: 0xff00000000001000}     |           | -1 | 0 | GP
            all      |                                      | - mov-cr: {cr: 4, value: 0x406a4}                | 0x14      | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 4, value: 0x406a0}                | 0x14      | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 4, value: 0x426a0}                | 0x14      | -1 | 0 | GP
            all      |                                      | - mov-cr: {cr: 4, value: 0x10000406a0}           | 0x14      | -1 | 0 | GP
            all      |                                      | - mov-cr: {cr: 8, value: 5}                      |           | -1 | 3 | DONE
            all      |                                      | - mov-cr: {cr: 8, value: 16}                     |           | -1 | 0 | GP
            all      |                                      | - mov-dr: {dr: 0, value: 1}                      | 0x30      | -1 | 3 | DONE
            all      |                                      | - mov-dr: {dr: 7, value: 0x400}                  | 0x37      | -1 | 3 | DONE
            all      | '- mov-dr: {dr: 3, value: 1}'        | - mov-dr: {dr: 6, value: 0xffff0ff0}             |           | -1 | 3 | DONE
            all      | '- mov-dr: {dr: 3, value: 1}'        | - mov-dr: {dr: 6, value: 0x100000000}            |           | -1 | 0 | GP
            all      |                                      | - invlpg: 0x1000                                 |           | -1 | 3 | DONE
            all      |                                      | - invpcid: {type: 0, pcid: 1}                    |           | -1 | 5 | DONE
            all      |                                      | - rdtsc                                          |           | -1 | 2 | DONE
            all      |                                      | - xsetbv: {value: 3}                             | 0x8d      | -1 | 3 | DONE
            all      |                                      | - xsetbv: {value: 2}                             | 0x8d      | -1 | 0 | GP
            all      |                                      | - pause                                          |           | -1 | 2 | DONE
            # Virtual VMLOAD and VMSAVE: not intercepted, and hardware sees SVME on; 7.1 closed that.
            5.4-6.18 |                                      | - vmload                                         |           | -1 | 3 | DONE
            5.4-6.18 |                                      | - vmsave                                         |           | -1 | 3 | DONE
            7.1      |                                      | - vmload                                         | 0x82      | -1 | 0 | UD
            7.1      |                                      | - vmsave                                         | 0x83      | -1 | 0 | UD
            """)
    // spotless:on
    void onMilan(
            String trees,
            String before,
            String op,
            String exits,
            int userspace,
            int length,
            String outcome) {
        new OneOp(trees, before, op, exits, userspace, length, outcome).check("EPYC-Milan", "{}");
    }

    // spotless:off
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock =
            """
            # INVPCID: intercepted since 5.15 for a guest without it, where the host has it; else plainly undefined.
            EPYC-Milan                       | {invpcid: false} | 5.4      | - invpcid: {type: 2}    |           | 5 | DONE
            EPYC-Milan                       | {invpcid: false} | 5.15+    | - invpcid: {type: 2}    | 0xa2      | 0 | UD
            EPYC-Rome                        | {}               | all      | - invpcid: {type: 2}    | 0x46      | 0 | UD
            EPYC-Rome                        | {invpcid: true}  | all      | - invpcid: {type: 2}    | 0x46      | 0 | UD
            'EPYC-Milan,v-vmsave-vmload=false' | {}             | all      | - vmload                | 0x82      | 0 | UD
            'EPYC-Milan,v-vmsave-vmload=false' | {}             | all      | - vmsave                | 0x83      | 0 | UD
            EPYC-Milan                       | {xsave: false}   | all      | - xsetbv: {value: 1}    | 0x8d      | 0 | GP
            'EPYC-Milan,pause-filter=false'  | {}               | all      | - pause                 |           | 2 | DONE
            """)
    // spotless:on
    void byPlatformAndCpuid(
            String cpu,
            String guestCpu,
            String trees,
            String op,
            String exits,
            int length,
            String outcome) {
        new OneOp(trees, null, op, exits, -1, length, outcome).check(cpu, guestCpu);
    }

    /// HLT: its own code; that of IDLE_HLT since 6.18, where the processor has it.
    @ParameterizedTest
    @CsvSource({"EPYC-Genoa, all, hlt", "EPYC-Turin, 5.4-6.12, hlt", "EPYC-Turin, 6.18+, idle_hlt"})
    void hltByTree(String cpu, String trees, String name) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on(cpu).under(policy).run("- run: 1\n- hlt\n- run: 1\n");
            assertEquals(List.of(name.equals("hlt") ? 0x78L : 0xa6L), codes(recording), policy);
            assertEquals(1, recording.all(VcpuPut.class).size());
        }
    }

    private static List<Long> codes(Recording recording) {
        return recording.all(VmExited.class).stream().map(VmExited::reason).toList();
    }

    /// The filter lets 3000 PAUSEs pass, each no more than the threshold of 128 after the last; the 3001st exits.
    @Test
    void pauseFilterRunsOut() {
        String spin = "- repeat: %d\n  do: [ pause ]\n";
        assertEquals(0, VcpuScenario.on("EPYC-Milan").run(spin.formatted(3000)).exits());
        Recording once = VcpuScenario.on("EPYC-Milan").run(spin.formatted(3001));
        assertEquals(List.of(0x77L), codes(once));
        assertEquals(6000, once.field(1, "pause_filter_count"));
        assertEquals(1, VcpuScenario.on("EPYC-Milan").run(spin.formatted(3001 + 6000)).exits());
        assertEquals(2, VcpuScenario.on("EPYC-Milan").run(spin.formatted(3001 + 6001)).exits());
    }

    /// A gap over the threshold fills the filter again, also right before the PAUSE that would have exited.
    @Test
    void pauseAfterALongGapFillsTheFilterAgain() {
        String spin = "- repeat: 3000\n  do: [ pause ]\n";
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(spin + "- run: 128\n- pause\n" + spin.replace("3000", "2999"));
        assertEquals(0, recording.exits());
        assertEquals(1, VcpuScenario.on("EPYC-Milan").run(spin + "- run: 127\n- pause\n").exits());
    }

    /// Without a threshold only entries fill it.
    @Test
    void withoutThresholdGapsDoNotCount() {
        String spin = "- repeat: 3000\n  do: [ {run: 1000}, pause ]\n";
        Recording recording =
                VcpuScenario.on("EPYC-Milan,pfthreshold=false")
                        .run(spin + "- run: 1000\n- pause\n");
        assertEquals(List.of(0x77L), codes(recording));
        assertEquals(0, recording.field(1, "pause_filter_thresh"));
    }

    /// The count has 16 bits: it doubles up to 65535.
    @Test
    void filterGrowsToItsWidth() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan").run("- repeat: 300000\n  do: [ pause ]\n");
        assertEquals(
                List.of(3000L, 6000L, 12000L, 24000L, 48000L, 65535L),
                recording.written(
                        1, recording.vcpu().vendor().layout().named("pause_filter_count")));
    }

    @ParameterizedTest
    @CsvSource({
        // Bit 0 for IN, size from bit 4, 64-bit addresses bit 9, port from bit 16.
        "'in: {port: 0x3f8, size: 1}', 0x3f80211",
        "'in: {port: 0x70, size: 2}', 0x700221",
        "'out: {port: 0xcf8, size: 4, value: 1}', 0xcf80240",
        "'wrmsr: {msr: 0x6e0, value: 1}', 1",
        "'rdmsr: 0x6e0', 0",
        // Decode assists: a MOV, from RAX.
        "'mov-cr: {cr: 4, value: 0x406a0}', -0x8000000000000000",
        "'mov-cr: {cr: 0, value: 0x80040033}', -0x8000000000000000",
        "'mov-dr: {dr: 7, value: 0x400}', 0",
        // The final translation, user bit set as for every nested walk; write bit 1.
        "'mmio: {address: 0xfebd0000}', 0x100000004",
        "'mmio: {address: 0xfebd0000, write: 1}', 0x100000006"
    })
    void informsAboutExit(String op, String info) {
        VmExited exit =
                VcpuScenario.on("EPYC-Milan").run("- " + op + "\n").all(VmExited.class).getFirst();
        assertEquals(Long.decode(info), exit.qualification());
    }

    /// A later touch finds a reserved bit in the nested entry; the address is EXITINFO2.
    @Test
    void laterTouchFindsReservedBit() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(
                                "- mmio: {address: 0xfebd0010}\n- mmio: {address: 0xfebd0020, write: 1}\n");
        assertEquals(0x1_0000_000fL, recording.last(VmExited.class).qualification());
        assertEquals(0xfebd0020L, recording.last(VmExited.class).info());
    }

    /// The next RIP is stored for instructions, and is EXITINFO2 of IN and OUT.
    @Test
    void storesNextRip() {
        Recording recording = VcpuScenario.on("EPYC-Milan").run("- in: {port: 0x21}\n");
        long rip = recording.vcpu().register(Reg.RIP);
        assertEquals(rip, recording.field(1, "next_rip"));
        assertEquals(rip, recording.only(VmExited.class).info());
    }

    /// The guest sees the CR0 it wrote; the hardware never runs with caches off.
    @Test
    void keepsCachesOnUnderneath() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(
                                """
                                - mov-cr: {cr: 0, value: 0xe0050033}
                                - cpuid: {leaf: 1}
                                - run: 1
                                - cpuid: {leaf: 1}
                                """);
        assertEquals(0xe005_0033L, recording.vcpu().register(Reg.CR0));
        assertEquals(0x8005_0033L, recording.field(1, "cr0"));
    }

    /// 7.1: with SVME on, VMLOAD and VMSAVE are the processor's again where it can.
    @Test
    void hypervisorGetsVirtualVmloadBack() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .under("kvm-7.1")
                        .run("- vmload\n- wrmsr: {msr: EFER, value: 0x1d01}\n- vmload\n- vmsave\n");
        assertEquals(
                List.of(Outcome.UD, Outcome.DONE, Outcome.DONE),
                recording.all(VmInstructionExecuted.class).stream()
                        .map(VmInstructionExecuted::outcome)
                        .toList());
        assertEquals(List.of(0x82L, 0x7cL), codes(recording));
    }

    /// VMRUN without SVME exits and is undefined, as is what only Intel has.
    @Test
    void guestWithoutSvmCannotNest() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .guestCpu("{svm: false}")
                        .run("- nested: { do: [ {run: 1} ] }\n- run: 7\n");
        assertEquals(Outcome.GP, recording.outcomes().getFirst());
        assertEquals(1, recording.exits("vmrun"));
        assertTrue(recording.outcomes().contains(Outcome.UD));
    }
}
