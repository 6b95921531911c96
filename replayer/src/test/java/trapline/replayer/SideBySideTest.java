package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.Range;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Outcome;
import trapline.engine.event.Stamp;
import trapline.engine.event.Writes;
import trapline.engine.policy.Policy;
import trapline.engine.state.Vendor;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.GuestVisible;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.SideBySide.Row;

class SideBySideTest {

    private static final long IO_INSTRUCTION = 30;
    private static final long MSR_WRITE = 32;

    private static final Event ENTERED = new VmEntered(1, Writes.NONE);
    private static final Event WRITTEN = new MsrWritten(0, Msrs.SPEC_CTRL, 1, Outcome.DONE);

    private static final SideBySide COUNTS =
            SideBySide.of(
                    diff(
                            List.of(ENTERED, WRITTEN),
                            List.of(
                                    ENTERED,
                                    exited(MSR_WRITE),
                                    new HostMsrRead(Msrs.SPEC_CTRL, 1, HostCause.VALUE_CHECK),
                                    new HostMsrWritten(Msrs.SPEC_CTRL, 1, HostCause.VALUE_CHECK),
                                    WRITTEN,
                                    field(),
                                    ENTERED,
                                    exited(IO_INSTRUCTION),
                                    new IoPerformed(0, 0x3f8, 1, true, 0x41, Outcome.DONE))));

    private static Event exited(long reason) {
        return new VmExited(1, reason, 0, 0, 0, 0, Writes.NONE);
    }

    private static Event field() {
        return new VmcsFieldWritten(1, Layout.VMCS.fields().getFirst().id(), 0, 1);
    }

    private static DiffResult diff(List<Event> base, List<Event> candidate) {
        CostProfile costs = CostProfile.find("intel", _ -> Optional.empty());
        Side before = side(base, costs);
        Side after = side(candidate, costs);
        return new DiffResult(
                null,
                costs,
                before,
                after,
                Comparison.of(before.projection(), after.projection(), costs),
                Optional.empty(),
                new GuestVisible(0, List.of()),
                0,
                List.of(),
                Optional.empty());
    }

    private static Side side(List<Event> events, CostProfile costs) {
        Tally tally = new Tally(Vendor.VMX, 1);
        envelopes(events).forEach(tally::add);
        Policy.Identity policy = new Policy.Identity("kvm-6.1", "", List.of(), "");
        return new Side(
                policy, tally, Projection.of(tally, costs), List.of(), new ExitBins(Vendor.VMX, 1));
    }

    private static List<Envelope> envelopes(List<Event> events) {
        return events.stream().map(SideBySideTest::envelope).toList();
    }

    private static Envelope envelope(Event event) {
        return new Envelope(new Stamp(7, 0, 7, 0, Stamp.Scope.VCPU, 1, 1, 0), event);
    }

    @Test
    void countsANameThatOnlyOneSideHas() {
        assertEquals(new Row("VM exits", 0, 2), COUNTS.exits());
        assertEquals(
                List.of(new Row("IO_INSTRUCTION", 0, 1), new Row("MSR_WRITE", 0, 1)),
                COUNTS.exitsByReason());
        assertEquals(List.of(new Row("vCPU 0", 0, 2)), COUNTS.exitsByVcpu());
    }

    @Test
    void countsGuestAccessesWhereTheHypervisorHandledThem() {
        assertEquals(List.of(new Row("IA32_SPEC_CTRL write", 0, 1)), COUNTS.msrs());
        assertEquals(List.of(new Row("0x3f8 out", 0, 1)), COUNTS.ports());
    }

    @Test
    void countsHostAccessesByMsrAndByCause() {
        assertEquals(new Row("host RDMSR", 0, 1), COUNTS.host(false));
        assertEquals(List.of(new Row("IA32_SPEC_CTRL valueCheck", 0, 1)), COUNTS.hostByMsr(true));
        assertEquals(
                List.of(new Row("valueCheck read", 0, 1), new Row("valueCheck write", 0, 1)),
                COUNTS.hostByCause());
    }

    /// What the guest's returns found is summed over all of them; a flush that hardware does by the way is nobody's cost.
    @Test
    void countsReturnsAndFlushes() {
        Tally tally = new Tally(Vendor.SVM, 1);
        envelopes(
                        List.of(
                                new ReturnsPredicted(1, 2, 3, 4, 5),
                                new ReturnsPredicted(10, 0, 0, 0, 0),
                                new RapFlushed(RapCause.NESTED_ENTRY, 7),
                                new RapFlushed(RapCause.STILL_SET, 0),
                                new RapFlushed(RapCause.STILL_SET, 0),
                                new RapFlushed(RapCause.IMPLICIT, 1)))
                .forEach(tally::add);
        assertEquals(
                "{predicted=11, mispredicted=2, foreignLevel=3, foreignVcpu=4, empty=5}",
                tally.returns().returns().toString());
        assertEquals(
                "{implicit=1, nestedEntry=1, stillSet=2}", tally.returns().flushes().toString());
        Projection projection =
                Projection.of(tally, CostProfile.find("amd", _ -> Optional.empty()));
        assertEquals(3, projection.byFigure().get("rap-flush"));
        Projection free = Projection.of(tally, CostProfile.find("intel", _ -> Optional.empty()));
        assertEquals(Range.ZERO, free.total());
    }

    @Test
    void leavesOutWhatHappenedOnNeitherSide() {
        assertEquals(
                List.of(
                        new Row("guest ops", 1, 2),
                        new Row("VMWRITE", 0, 1),
                        new Row("events", 2, 9)),
                COUNTS.rest());
    }

    @Test
    void aDivergenceNamesTheFirstUnequalEventOfEachSide() {
        Divergence divergence =
                new Divergence(
                        0,
                        1,
                        "WRMSR",
                        1,
                        envelopes(List.of(ENTERED)),
                        envelopes(List.of(ENTERED, WRITTEN)),
                        "",
                        List.of(),
                        List.of());
        assertEquals(null, divergence.base());
        assertEquals(0, divergence.baseOrder());
        assertEquals(WRITTEN, divergence.candidate());
        assertEquals(7, divergence.candidateOrder());
    }
}
