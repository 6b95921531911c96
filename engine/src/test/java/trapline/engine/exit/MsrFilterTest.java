package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.MsrExitsStored;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.PassThroughWithheld;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.event.Outcome;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.MsrBitmap;
import trapline.engine.table.Msrs;

/// The MSR filter and MSR exits to userspace (FACTS 1.3 and 2.6).
class MsrFilterTest {

    private static final String ROME = "EPYC-Rome,v-spec-ctrl=false";

    private static boolean passes(Recording recording, int bitmap, int msr) {
        MsrBitmap map = recording.vcpu().bitmap(bitmap);
        assertEquals(map.exits(msr, false), map.exits(msr, true));
        return !map.exits(msr, true);
    }

    /// FS_BASE is passed through from the start on both vendors. The filter takes the vCPU out of the guest once, its
    /// intercept is set before it goes on, and the write exits and raises #GP, as no reason is enabled.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, EXTERNAL_INTERRUPT MSR_WRITE",
        "EPYC-Milan, interrupt msr",
    })
    void deniedMsrIsInterceptedAndFaults(String cpu, String exits) {
        for (String tree : Trees.of("5.15-7.1")) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(tree)
                            .run(
                                    """
                                    - wrmsr: {msr: FS_BASE, value: 0x1000}
                                    - host-filter: {deny: [FS_BASE]}
                                    - wrmsr: {msr: FS_BASE, value: 0x2000}
                                    """);
            assertEquals(List.of(exits.split(" ")), recording.exitReasons(), tree);
            assertEquals(List.of(Outcome.DONE, Outcome.GP), recording.outcomes(), tree);
            assertFalse(passes(recording, 1, Msrs.FS_BASE), tree);
            assertTrue(passes(recording, 1, Msrs.GS_BASE), tree);
            assertEquals(0x1000, recording.vcpu().msr(Msrs.FS_BASE), tree);
            assertEquals(0, recording.all(UserspaceExited.class).size(), tree);
        }
    }

    /// The request is an input of the whole machine, and so is what became of it.
    @Test
    void filterIsTheMachines() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- host-filter: {deny: [FS_BASE]}\n");
        MsrFilter filter =
                new MsrFilter(
                        false,
                        List.of(new MsrFilterRange(true, true, Msrs.FS_BASE, 1, new long[] {0})));
        List<Envelope> envelopes =
                recording.envelopes().stream()
                        .filter(e ->
                                e.event() instanceof MsrFilterRequested
                                        || e.event() instanceof MsrFilterStored)
                        .toList();
        assertEquals(
                List.of(new MsrFilterRequested(filter), new MsrFilterStored(filter, "")),
                envelopes.stream().map(Envelope::event).toList());
        assertEquals(Scope.VM, envelopes.get(0).stamp().scope());
        assertEquals(0, envelopes.get(0).stamp().cause());
        assertEquals(Scope.VM, envelopes.get(1).stamp().scope());
        assertEquals(envelopes.get(0).stamp().order(), envelopes.get(1).stamp().cause());
        assertEquals(filter, recording.machine().vm().msrFilter());
    }

    /// 5.4 has neither the ioctl nor the capability: both requests fail, and nothing else happens.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void treeWithoutFilterRefusesIt(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-5.4")
                        .run(
                                """
                                - run: 1
                                - host-filter: {deny: [FS_BASE], user-exits: [filter, unknown]}
                                - wrmsr: {msr: FS_BASE, value: 0x2000}
                                - rdmsr: 0x1234567
                                """);
        assertEquals("ENOTTY", recording.only(MsrFilterStored.class).error());
        assertEquals("EINVAL", recording.only(MsrExitsStored.class).error());
        assertEquals(List.of(Outcome.DONE, Outcome.DONE, Outcome.GP), recording.outcomes());
        assertEquals(1, recording.exits());
        assertEquals(MsrFilter.NONE, recording.machine().vm().msrFilter());
        assertEquals(0, recording.machine().vm().msrExits());
    }

    private static final int INVAL = 1;
    private static final int UNKNOWN = 2;
    private static final int FILTER = 4;

    /// Code 1 is INVAL, 2 UNKNOWN, 3 FILTER; #GP where userspace did not ask for that reason.
    @ParameterizedTest
    @CsvSource({
        // SPEC_CTRL: bit 9 is reserved. 0x1234567: not known. FS_BASE: denied.
        "'{msr: IA32_SPEC_CTRL, value: 0x200}', INVAL",
        "'{msr: 0x1234567, value: 0x200}',      UNKNOWN",
        "'{msr: FS_BASE, value: 0x200}',        FILTER"
    })
    void userspaceIsToldOfTheReasonsItAskedFor(String access, MsrExitReason reason) {
        for (String cpu : List.of("Icelake-Server", ROME)) {
            for (int mask = 0; mask < 8; mask++) {
                String reasons =
                        ((mask & INVAL) != 0 ? "inval, " : "")
                                + ((mask & UNKNOWN) != 0 ? "unknown, " : "")
                                + ((mask & FILTER) != 0 ? "filter" : "");
                Recording recording =
                        VcpuScenario.on(cpu)
                                .run(
                                        """
                                        - host-filter: {deny: [FS_BASE], user-exits: [%s]}
                                        - wrmsr: %s
                                        """
                                                .formatted(reasons, access));
                MsrWritten end = recording.last(MsrWritten.class);
                if ((mask & reason.bit()) == 0) {
                    assertEquals(Outcome.GP, end.outcome(), cpu + " " + mask);
                    assertEquals(0, recording.all(UserspaceMsrAsked.class).size());
                } else {
                    assertEquals(Outcome.USERSPACE, end.outcome(), cpu + " " + mask);
                    assertEquals(
                            new UserspaceMsrAsked(end.msr(), true, 0x200, reason),
                            recording.only(UserspaceMsrAsked.class));
                    assertEquals(new UserspaceExited(30), recording.only(UserspaceExited.class));
                }
            }
        }
    }

    /// The exit to userspace is a put and a load; what it says there is caused by the exit.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void exitToUserspaceIsPutAndLoad(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run(
                                """
                                - host-filter: {deny: [0x50000002], user-exits: [filter]}
                                - run: 1
                                - rdmsr: 0x50000002
                                """);
        List<Event> seen =
                recording.ofLastOp().stream()
                        .filter(e ->
                                e instanceof UserspaceMsrAsked
                                        || e instanceof UserspaceExited
                                        || e instanceof VcpuPut
                                        || e instanceof UserspaceReplied
                                        || e instanceof VcpuLoaded
                                        || e instanceof MsrReadBack)
                        .toList();
        MsrReadBack end = recording.only(MsrReadBack.class);
        assertEquals(
                List.of(
                        new UserspaceMsrAsked(0x5000_0002, false, 0, MsrExitReason.FILTER),
                        new UserspaceExited(29),
                        new VcpuPut(),
                        new UserspaceReplied(0x5000_0002, false, 0, false),
                        new VcpuLoaded(0),
                        new MsrReadBack(end.rip(), 0x5000_0002, 0, Outcome.USERSPACE)),
                seen);
        long exit =
                recording.envelopes().stream()
                        .filter(e -> e.event() instanceof VmExited)
                        .reduce((_, last) -> last)
                        .orElseThrow()
                        .stamp()
                        .order();
        assertEquals(
                List.of(exit),
                recording.envelopes().stream()
                        .filter(e -> e.event() instanceof UserspaceReplied)
                        .map(e -> e.stamp().cause())
                        .toList());
    }

    /// By default userspace keeps what the guest writes, and KVM knows nothing of it: once the filter is gone the MSR
    /// is as unknown as before.
    @Test
    void userspaceKeepsWhatTheGuestWrites() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - host-filter: {deny: [0x50000002], user-exits: [filter]}
                                - rdmsr: 0x50000002
                                - wrmsr: {msr: 0x50000002, value: 0x3}
                                - rdmsr: 0x50000002
                                - host-filter: {default: allow}
                                - rdmsr: 0x50000002
                                """);
        assertEquals(
                List.of(0L, 3L, 0L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
        assertEquals(
                List.of(Outcome.USERSPACE, Outcome.USERSPACE, Outcome.USERSPACE, Outcome.GP),
                recording.outcomes());
        assertEquals(3, recording.vcpu().userspaceMsr(0x5000_0002).orElseThrow());
    }

    /// What userspace does with a register's MSR does not reach the register.
    @Test
    void userspacesWriteLeavesTheRegisterAlone() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(
                                """
                                - wrmsr: {msr: FS_BASE, value: 0x1000}
                                - host-filter: {deny: [FS_BASE], user-exits: [filter]}
                                - wrmsr: {msr: FS_BASE, value: 0x2000}
                                - rdmsr: FS_BASE
                                """);
        assertEquals(0x1000, recording.vcpu().msr(Msrs.FS_BASE));
        assertEquals(0x2000, recording.last(MsrReadBack.class).value());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vmm: {default: error}                                   | GP        | GP        | 0",
                "vmm: {msrs: {0x50000002: error}}                        | GP        | GP        | 0",
                "vmm: {msrs: {0x50000002: {value: 7}}}                   | USERSPACE | USERSPACE | 3",
                "vmm: {msrs: {0x50000002: {value: 7, writes: drop}}}     | USERSPACE | USERSPACE | 7",
                "vmm: {msrs: {0x50000002: {value: 7, writes: error}}}    | GP        | USERSPACE | 7",
                "vmm: {msrs: {0x50000002: {reads: error}}}               | USERSPACE | GP        | 0",
                "'vmm: {default: error, msrs: {0x50000002: emulate}}'    | USERSPACE | USERSPACE | 3"
            })
    void vmmRepliesAsTheScenarioSays(String vmm, Outcome write, Outcome read, long value) {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .runText(
                                """
                                scenario: test
                                %s
                                program:
                                - host-filter: {deny: [0x50000002], user-exits: [filter]}
                                - wrmsr: {msr: 0x50000002, value: 3}
                                - rdmsr: 0x50000002
                                - run: 1
                                """
                                        .formatted(vmm),
                                "test");
        assertEquals(write, recording.only(MsrWritten.class).outcome());
        assertEquals(read, recording.only(MsrReadBack.class).outcome());
        assertEquals(value, recording.only(MsrReadBack.class).value());
    }

    /// Userspace's own accesses are never filtered. Its non-zero write would lift the interception of SPEC_CTRL: that is
    /// ignored while the MSR is denied, and made up for when it no longer is.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", ROME})
    void liftingOfADeniedMsrIsIgnored(String cpu) {
        String ops =
                """
                - host-filter: {deny: [IA32_SPEC_CTRL]}
                - host-write: {msr: IA32_SPEC_CTRL, value: 1}
                - wrmsr: {msr: IA32_SPEC_CTRL, value: 3}
                """;
        for (String tree : Trees.of("5.15-7.1")) {
            Recording denied = VcpuScenario.on(cpu).under(tree).run(ops);
            assertEquals(Outcome.DONE, denied.only(UserspaceMsrStored.class).outcome(), tree);
            assertEquals(Outcome.GP, denied.only(MsrWritten.class).outcome(), tree);
            assertFalse(passes(denied, 1, Msrs.SPEC_CTRL), tree);
            assertEquals(
                    new PassThroughWithheld(Msrs.SPEC_CTRL, true, true),
                    denied.all(PassThroughWithheld.class).getLast(),
                    tree);
            Recording allowed =
                    VcpuScenario.on(cpu)
                            .under(tree)
                            .run(ops + "- host-filter: {default: allow}\n- run: 1\n");
            assertTrue(passes(allowed, 1, Msrs.SPEC_CTRL), tree);
        }
    }

    /// FACTS 1.3: 6.18 computes the intercept of SPEC_CTRL anew as (spec_ctrl == 0) at any change of the filter; older
    /// trees leave it as it is.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-6.12, true",
        "Icelake-Server, kvm-6.18, false",
        "Icelake-Server, kvm-7.1, false",
        "'EPYC-Rome,v-spec-ctrl=false', kvm-6.12, true",
        "'EPYC-Rome,v-spec-ctrl=false', kvm-6.18, false",
        // With V_SPEC_CTRL it is passed through because the guest has it.
        "EPYC-Milan, kvm-6.18, true"
    })
    void guestThatWroteZeroIsInterceptedAgain(String cpu, String tree, boolean passes) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under(tree)
                        .run(
                                """
                                - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                                - wrmsr: {msr: IA32_SPEC_CTRL, value: 0}
                                - host-filter: {deny: [IA32_TSX_CTRL]}
                                - run: 1
                                """);
        assertEquals(passes, passes(recording, 1, Msrs.SPEC_CTRL));
    }

    /// A variant computes it anew by its own rule: v3 keeps IBRS intercepted for an eIBRS guest, first-nonzero does not.
    @ParameterizedTest
    @CsvSource({
        "'kvm-6.18,spec-ctrl=v3', 1, false",
        "'kvm-6.18,spec-ctrl=v3', 5, true",
        "kvm-6.18, 1, true",
        "'kvm-6.18,spec-ctrl=always-intercept', 5, false",
        "'kvm-6.18,spec-ctrl=always-passthrough', 0, true"
    })
    void variantsComputeAnewByTheirOwnRule(String policy, int value, boolean passes) {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .under(policy)
                        .run(
                                """
                                - wrmsr: {msr: IA32_SPEC_CTRL, value: %d}
                                - host-filter: {deny: [IA32_TSX_CTRL]}
                                - run: 1
                                """
                                        .formatted(value));
        assertEquals(passes, passes(recording, 1, Msrs.SPEC_CTRL));
    }

    /// Every vCPU gets its intercepts: one that runs is taken out of the guest for it, one that sleeps has them when it
    /// wakes.
    @Test
    void everyVcpuGetsItsIntercepts() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .runEach(
                                """
                                - run: 1
                                - host-filter: {deny: [FS_BASE]}
                                - run: 1
                                - run: 1
                                - run: 1
                                """,
                                """
                                - run: 1
                                - run: 1
                                - wrmsr: {msr: FS_BASE, value: 1}
                                """,
                                """
                                - hlt
                                - wrmsr: {msr: FS_BASE, value: 1}
                                """);
        for (int vcpu = 0; vcpu < 3; vcpu++) {
            assertTrue(recording.machine().vcpu(vcpu).bitmap(1).exits(Msrs.FS_BASE, true));
        }
        // vCPUs 0 and 1 were in the guest; the third had halted.
        assertEquals(2, recording.exits("EXTERNAL_INTERRUPT"));
        assertEquals(
                List.of(Outcome.GP, Outcome.GP),
                recording.all(MsrWritten.class).stream().map(MsrWritten::outcome).toList());
    }

    /// While L2 runs the filter reaches 01's bitmap; 02's is made of it at the next nested entry (FACTS 1.9, 1.10), so
    /// that L2 goes on with what it had, unless the policy merges at once.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-6.1, true",
        "EPYC-Milan, kvm-6.1, true",
        "Icelake-Server, kvm-7.1, true",
        "EPYC-Milan, kvm-7.1, true",
        "Icelake-Server, 'kvm-7.1,msr-filter=at-once', false",
        "EPYC-Milan, 'kvm-7.1,msr-filter=at-once', false"
    })
    void filterReachesL2AtTheNextNestedEntry(String cpu, String policy, boolean stale) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under(policy)
                        .run(
                                """
                                - nested:
                                    do:
                                      - run: 1
                                      - host-filter: {deny: [FS_BASE]}
                                      - wrmsr: {msr: FS_BASE, value: 0x1000}
                                - nested: {do: [{wrmsr: {msr: FS_BASE, value: 0x2000}}]}
                                """);
        List<MsrWritten> writes = recording.all(MsrWritten.class, e -> e.msr() == Msrs.FS_BASE);
        assertEquals(
                List.of(stale ? Outcome.DONE : Outcome.GP, Outcome.GP),
                writes.stream().map(MsrWritten::outcome).toList());
        assertFalse(passes(recording, 2, Msrs.FS_BASE));
    }

    /// Where L1 intercepts no MSRs, L2 runs on 01's map, and the filter is there at once.
    @Test
    void filterReachesL2ThatRunsOn01sMap() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .run(
                                """
                                - nested:
                                    fields: {intercepts3: 0}
                                    do:
                                      - run: 1
                                      - host-filter: {deny: [FS_BASE]}
                                      - wrmsr: {msr: FS_BASE, value: 0x1000}
                                """);
        assertEquals(
                Outcome.GP,
                recording.only(MsrWritten.class, e -> e.msr() == Msrs.FS_BASE).outcome());
    }

    /// What L1 wants of L2's accesses it gets, whatever the filter says: L0 does not emulate them.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void l1sOwnInterceptsAreNotFiltered(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run(
                                """
                                - host-filter: {deny: [FS_BASE], user-exits: [filter]}
                                - nested:
                                    intercept: {write: [FS_BASE]}
                                    do:
                                      - wrmsr: {msr: FS_BASE, value: 0x1000}
                                      - rdmsr: FS_BASE
                                """);
        assertEquals(
                Outcome.REFLECTED,
                recording.only(MsrWritten.class, e -> e.msr() == Msrs.FS_BASE).outcome());
        assertEquals(Outcome.USERSPACE, recording.only(MsrReadBack.class).outcome());
    }

    /// A filter that changes nothing for an MSR leaves its intercept alone.
    @Test
    void changesOnlyWhatItIsAbout() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - run: 1
                                - host-filter: {deny: [{msr: FS_BASE, access: w}]}
                                - rdmsr: FS_BASE
                                """);
        assertEquals(
                new MsrInterceptChanged(1, Msrs.FS_BASE, false, true),
                recording.last(MsrInterceptChanged.class));
        assertEquals(Outcome.DONE, recording.only(MsrReadBack.class).outcome());
        assertEquals(1, recording.exits());
    }
}
