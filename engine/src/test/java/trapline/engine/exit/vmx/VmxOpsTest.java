package trapline.engine.exit.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HypercallPatched;
import trapline.engine.event.HypervisorEvent.MmioPageMapped;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.exit.OneOp;

/// The table of ops, on Intel.
class VmxOpsTest {

    // spotless:off
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock =
            """
            # trees  | before                                   | op                                              | exits | user | RIP | outcome
            all      |                                          | - run: 5                                        |       | -1 | 0 | DONE
            all      |                                          | - wrmsr: {msr: IA32_TSC_DEADLINE, value: 9}     | 32    | -1 | 2 | DONE
            all      |                                          | - wrmsr: {msr: 0x1234567, value: 9}             | 32    | -1 | 0 | GP
            all      |                                          | - wrmsr: {msr: FS_BASE, value: 0x1000}          |       | -1 | 2 | DONE
            all      |                                          | - wrmsr: {msr: KERNEL_GS_BASE, value: 0x1000}   |       | -1 | 2 | DONE
            all      |                                          | - wrmsr: {msr: IA32_SYSENTER_EIP, value: 0x10}  |       | -1 | 2 | DONE
            all      |                                          | - wrmsr: {msr: STAR, value: 0x10}               | 32    | -1 | 2 | DONE
            all      |                                          | - wrmsr: {msr: IA32_TSC, value: 0x10}           | 32    | -1 | 2 | DONE
            all      |                                          | - rdmsr: IA32_TSC                               |       | -1 | 2 | DONE
            all      |                                          | - rdmsr: IA32_TSC_DEADLINE                      | 31    | -1 | 2 | DONE
            all      |                                          | - rdmsr: FS_BASE                                |       | -1 | 2 | DONE
            all      |                                          | - rdmsr: LSTAR                                  | 31    | -1 | 2 | DONE
            all      |                                          | - cpuid: {leaf: 1}                              | 10    | -1 | 2 | DONE
            all      |                                          | - in: {port: 0x3f8}                             | 30    | 2  | 1 | DONE
            all      |                                          | - out: {port: 0x3f8, value: 1}                  | 30    | 2  | 1 | DONE
            all      |                                          | - in: {port: 0x21}                              | 30    | -1 | 1 | DONE
            all      |                                          | - out: {port: 0x43, value: 1}                   | 30    | -1 | 1 | DONE
            all      |                                          | - mmio: {address: 0xfebd0000, size: 4}          | 48    | 6  | 3 | DONE
            all      | '- mmio: {address: 0xfebd0000}'          | - mmio: {address: 0xfebd0ff8, size: 8, write: 1} | 49   | 6  | 3 | DONE
            all      |                                          | - mmio: {address: 0xfee000b0, size: 4, write: 0} | 44   | -1 | 3 | DONE
            all      | '- mmio: {address: 0xfee000b0}'          | - mmio: {address: 0xfee000b0, size: 4}          | 44    | -1 | 3 | DONE
            all      |                                          | - mmio: {address: 0xfec00010, size: 4}          | 48    | -1 | 3 | DONE
            all      | '- mmio: {address: 0xfec00000}'          | - mmio: {address: 0xfec00010, size: 4}          | 49    | -1 | 3 | DONE
            all      |                                          | - vmcall                                        | 18    | -1 | 3 | DONE
            all      |                                          | - vmmcall                                       | 0 18  | -1 | 3 | DONE
            # CR0: only TS is the guest's, and WP since 6.1; PE, PG, NE cannot change from here.
            all      |                                          | - mov-cr: {cr: 0, value: 0x80050033}            |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 0, value: 0x8005003b}            |       | -1 | 3 | DONE
            5.4-5.15 |                                          | - mov-cr: {cr: 0, value: 0x80040033}            | 28    | -1 | 3 | DONE
            6.1+     |                                          | - mov-cr: {cr: 0, value: 0x80040033}            |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 0, value: 0x80010033}            | 28    | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 0, value: 0x80050031}            | 28    | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 0, value: 0xc0050033}            | 28    | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 0, value: 0xa0050033}            | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 0, value: 0x100000000}           | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 0, value: 0x80050032}            | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 0, value: 0x50033}               | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 2, value: 0x1234}                |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 3, value: 0x2000}                |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 3, value: 0xff00000000001000}    |       | -1 | 0 | GP
            # CR4: the guest's own bits are PVI, TSD, DE, PGE, PCE, OSFXSR, OSXMMEXCPT; LA57 in 5.4, FSGSBASE since.
            all      |                                          | - mov-cr: {cr: 4, value: 0x406a4}               |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 4, value: 0x40020}               |       | -1 | 3 | DONE
            5.4      |                                          | - mov-cr: {cr: 4, value: 0x506a0}               | 28    | -1 | 3 | DONE
            5.15+    |                                          | - mov-cr: {cr: 4, value: 0x506a0}               |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 4, value: 0x1406a0}              | 28    | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 4, value: 0x6a0}                 | 28    | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 4, value: 0x40680}               | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 4, value: 0x10000406a0}          | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 4, value: 0x440a0}               | 28    | -1 | 0 | GP
            5.4      |                                          | - mov-cr: {cr: 4, value: 0x416a0}               |       | -1 | 0 | GP
            5.15+    |                                          | - mov-cr: {cr: 4, value: 0x416a0}               | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 4, value: 0x8406a0}              | 28    | -1 | 0 | GP
            all      |                                          | - mov-cr: {cr: 8, value: 5}                     |       | -1 | 3 | DONE
            all      |                                          | - mov-cr: {cr: 8, value: 16}                    |       | -1 | 0 | GP
            # The first access of debug registers exits and runs again; the next is free until the next exit.
            all      |                                          | - mov-dr: {dr: 0, value: 1}                     | 29    | -1 | 3 | DONE
            all      | '- mov-dr: {dr: 0, value: 1}'            | - mov-dr: {dr: 7, value: 0x401}                 |       | -1 | 3 | DONE
            all      | '- mov-dr: {dr: 0, value: 1}'            | - mov-dr: {dr: 7, value: 0x100000000}           |       | -1 | 0 | GP
            all      | '- invlpg: 0x1000'                       | - invlpg: 0x1000                                |       | -1 | 3 | DONE
            all      |                                          | - invpcid: {type: 2}                            |       | -1 | 5 | DONE
            all      |                                          | - rdtsc                                         |       | -1 | 2 | DONE
            all      |                                          | - xsetbv: {value: 7}                            | 55    | -1 | 3 | DONE
            all      |                                          | - xsetbv: {value: 6}                            | 55    | -1 | 0 | GP
            all      |                                          | - xsetbv: {value: 5}                            | 55    | -1 | 0 | GP
            all      |                                          | - xsetbv: {value: 0xe7}                         | 55    | -1 | 3 | DONE
            all      |                                          | - xsetbv: {value: 0x27}                         | 55    | -1 | 0 | GP
            all      |                                          | - xsetbv: {xcr: 1, value: 1}                    | 55    | -1 | 0 | GP
            all      |                                          | - pause                                         |       | -1 | 2 | DONE
            all      |                                          | - vmload                                        | 0     | -1 | 0 | UD
            all      |                                          | - vmsave                                        | 0     | -1 | 0 | UD
            """)
    // spotless:on
    void onIcelake(
            String trees,
            String before,
            String op,
            String exits,
            int userspace,
            int length,
            String outcome) {
        new OneOp(trees, before, op, exits, userspace, length, outcome)
                .check("Icelake-Server", "{}");
    }

    // spotless:off
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock =
            """
            {invpcid: false}   | all   | - invpcid: {type: 2}                  | 0  | 0 | UD
            {pcid: false}      | 5.4   | - invpcid: {type: 2}                  | 0  | 0 | UD
            {pcid: false}      | 5.15+ | - invpcid: {type: 2}                  |    | 5 | DONE
            {xsave: false}     | all   | - xsetbv: {value: 1}                  | 55 | 0 | GP
            {fsgsbase: false}  | all   | - mov-cr: {cr: 4, value: 0x506a0}     | 28 | 0 | GP
            {pcid: false}      | all   | - mov-cr: {cr: 4, value: 0x606a0}     | 28 | 0 | GP
            {smep: false}      | all   | - mov-cr: {cr: 4, value: 0x1406a0}    | 28 | 0 | GP
            {}                 | all   | - mov-cr: {cr: 4, value: 0x606a0}     | 28 | 3 | DONE
            {}                 | all   | - mov-cr: {cr: 4, value: 0x426a0}     | 28 | 3 | DONE
            {vmx: false}       | all   | - mov-cr: {cr: 4, value: 0x426a0}     | 28 | 0 | GP
            """)
    // spotless:on
    void byGuestsCpuid(
            String guestCpu, String trees, String op, String exits, int length, String outcome) {
        new OneOp(trees, null, op, exits, -1, length, outcome).check("Icelake-Server", guestCpu);
    }

    /// HLT exits, the vCPU is put, and loaded again when an interrupt comes: the guest's own, or its timer.
    @Test
    void hltSleepsUntilAnInterrupt() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run("- run: 1\n- hlt\n- interrupt: {vector: 0x31}\n- run: 1\n");
        assertEquals(List.of("HLT"), recording.exitReasons());
        assertEquals(1, recording.all(VcpuPut.class).size());
        assertEquals(2, recording.all(VcpuLoaded.class).size());
        assertEquals(
                new EventInjected(0x31, EventType.INTERRUPT, 0),
                recording.only(EventInjected.class));
        Recording timer = VcpuScenario.on("Icelake-Server").run("- run: 1\n- hlt\n- run: 1\n");
        assertEquals(0xec, timer.only(EventInjected.class).vector());
        assertTrue(timer.vcpu().tick() > 1_000_000, "the timer takes its time");
    }

    /// An interrupt that waits already lets HLT end at once: nobody sleeps, so nothing is put.
    @Test
    void hltDoesNotSleepWhileAnInterruptWaits() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - run: 1
                                - preempt: {}
                                - interrupt: {vector: 0x31}
                                - interrupt: {vector: 0x32}
                                - hlt
                                - run: 1
                                """);
        assertEquals(List.of("EXTERNAL_INTERRUPT", "HLT"), recording.exitReasons());
        assertEquals(1, recording.all(VcpuPut.class).size());
        assertEquals(
                List.of(0x32, 0x31),
                recording.all(EventInjected.class).stream().map(EventInjected::vector).toList());
        assertTrue(recording.vcpu().tick() < 1_000, "no timer was waited for");
    }

    @Test
    void hypercallGivesErrorForUnknownNumber() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- vmcall: {nr: 1}\n- vmcall: {nr: 99}\n");
        assertEquals(
                List.of(0L, -1000L),
                recording.all(HypercallMade.class).stream().map(HypercallMade::result).toList());
        assertEquals(-1000L, recording.vcpu().register(Reg.RAX));
    }

    /// The other vendor's instruction is rewritten where it stands, once; the event keeps what the guest has.
    @Test
    void patchesHypercallOnce() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- repeat: 3\n  do: [ vmmcall ]\n");
        assertEquals(
                List.of("EXCEPTION_NMI", "VMCALL", "VMCALL", "VMCALL"), recording.exitReasons());
        long rip = recording.only(HypercallPatched.class).rip();
        for (HypercallMade call : recording.all(HypercallMade.class)) {
            assertTrue(call.vmmcall());
            assertEquals(rip, call.rip());
        }
    }

    @Test
    void namesExceptionInTheExit() {
        VmExited exit =
                VcpuScenario.on("Icelake-Server").run("- vmmcall\n").all(VmExited.class).getFirst();
        // Vector 6, hardware exception, valid.
        assertEquals(0x8000_0306, exit.interruptInfo());
    }

    @ParameterizedTest
    @CsvSource({
        // Size minus one, bit 3 for IN, port from bit 16.
        "'in: {port: 0x3f8, size: 1}', 0x3f80008",
        "'in: {port: 0x70, size: 2}', 0x700009",
        "'out: {port: 0xcf8, size: 4, value: 1}', 0xcf80003",
        "'mov-cr: {cr: 4, value: 0x1406a0}', 4",
        "'mov-dr: {dr: 7, value: 0}', 7",
        "'mmio: {address: 0xfebd0000}', 0x181",
        "'mmio: {address: 0xfebd0000, write: 1}', 0x182",
        "'mmio: {address: 0xfee00300, write: 1}', 0x1300",
        "'mmio: {address: 0xfee00300}', 0x300"
    })
    void qualifiesExit(String op, String qualification) {
        Recording recording = VcpuScenario.on("Icelake-Server").run("- " + op + "\n");
        VmExited exit = recording.all(VmExited.class).getFirst();
        assertEquals(Long.decode(qualification), exit.qualification());
    }

    /// The processor says how long the instruction is and where it stands.
    @Test
    void storesLengthAndAddress() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- mmio: {address: 0xfebd0123, size: 4}\n");
        assertEquals(3, recording.field(1, "VM_EXIT_INSTRUCTION_LEN"));
        assertEquals(0xfebd0123L, recording.field(1, "GUEST_PHYSICAL_ADDRESS"));
        assertEquals(48, recording.field(1, "VM_EXIT_REASON"));
        assertEquals(
                recording.all(IoPerformed.class).size() + 1,
                recording.all(MmioPageMapped.class).size());
    }

    @Test
    void takesReadsFromTheWorld() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                "- in: {port: 0x3f8, size: 2}\n- mmio: {address: 0xfebd0000, size: 4}\n- rdtsc\n");
        List<DeviceRead> reads = recording.all(DeviceRead.class);
        assertEquals(2, reads.size());
        assertEquals(reads.getFirst().value(), recording.only(IoPerformed.class).value());
        assertTrue(reads.getFirst().value() >>> 16 == 0);
        assertTrue(reads.getLast().value() >>> 32 == 0);
        assertEquals(1, recording.all(TimestampRead.class).size());
    }

    /// An interrupt for the host is an exit and no more: nothing is put.
    @Test
    void hostInterruptStaysInTheKernel() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run("- run: 1\n- host-interrupt: {vector: 0xec}\n- run: 1\n");
        VmExited exit = recording.only(VmExited.class);
        assertEquals(1, exit.reason());
        assertEquals(0x8000_00ec, exit.interruptInfo());
        assertEquals(0, recording.all(VcpuPut.class).size());
        assertEquals(2, recording.entries());
    }

    /// PAUSE-loop exiting: a loop of PAUSEs no further apart than 128 that lasts longer than 4096. Here they are 100
    /// apart: the first at t, the 42nd at t + 4100.
    @Test
    void pauseLoopExitsAfterItsWindow() {
        String spin = "- repeat: %d\n  do: [ {run: 99}, pause ]\n";
        Recording before = VcpuScenario.on("Icelake-Server").run(spin.formatted(41));
        assertEquals(0, before.exits());
        Recording after = VcpuScenario.on("Icelake-Server").run(spin.formatted(42));
        assertEquals(List.of("PAUSE_INSTRUCTION"), after.exitReasons());
        assertEquals(8192, after.field(1, "PLE_WINDOW"));
        // A new loop after the entry, with the window doubled: the first and 81 more are 8100
        // apart.
        assertEquals(1, VcpuScenario.on("Icelake-Server").run(spin.formatted(42 + 82)).exits());
        assertEquals(2, VcpuScenario.on("Icelake-Server").run(spin.formatted(42 + 83)).exits());
    }

    /// PAUSEs further apart than the gap are each the first of a loop, however long the last loop was.
    @Test
    void pauseAfterALongGapBeginsANewLoop() {
        String spin = "- repeat: 41\n  do: [ {run: 99}, pause ]\n";
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                spin
                                        + "- run: 200\n- pause\n- repeat: 50\n  do: [ {run: 200}, pause ]\n");
        assertEquals(0, recording.exits());
    }

    /// A guest without VMX: CR4.VMXE faults, VMXON and the rest exit and are undefined.
    @Test
    void guestWithoutVmxCannotNest() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .guestCpu("{vmx: false}")
                        .run("- nested: { do: [ {run: 1} ] }\n- run: 7\n");
        assertEquals(Outcome.GP, recording.outcomes().getFirst());
        assertEquals(
                recording.outcomes().size() - 2,
                recording.outcomes().stream().filter(Outcome.UD::equals).count()
                        + recording.outcomes().stream().filter(Outcome.DONE::equals).count()
                        - 1);
        assertEquals(1, recording.exits("VMON"));
        assertEquals(1, recording.exits("VMLAUNCH"));
        assertTrue(recording.exits("VMWRITE") > 10);
    }
}
