package trapline.replayer.observed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Outcome;
import trapline.engine.guest.Step;
import trapline.replayer.observed.Fidelity.Basis;
import trapline.replayer.observed.Fidelity.Faults;
import trapline.replayer.observed.Fidelity.Mismatch;
import trapline.replayer.observed.Fidelity.Row;
import trapline.replayer.observed.FidelityCheck.Predicted;
import trapline.replayer.observed.ObservedStep.At;

class FidelityCheckTest {

    private static final GuestOp WRMSR = new GuestOp.Wrmsr(0, 0x10, 1, true);

    private final FidelityCheck check = new FidelityCheck();
    private final ObservedCounts counts = new ObservedCounts();
    private long order;

    private void step(GuestOp op, String exit, boolean faulted, Predicted predicted) {
        order++;
        At at = new At(order, 10 * order, exit, faulted);
        check.step(new ObservedStep(0, order, new Step.Do(op), List.of(), at), predicted);
    }

    private static Predicted exits(String... exits) {
        return new Predicted(List.of(exits), List.of(), Outcome.DONE);
    }

    @Test
    void anExitOfAnotherReasonMatchesNothing() {
        counts.exit("EPT_MISCONFIG");
        counts.exit("EPT_MISCONFIG");
        step(new GuestOp.Pause(0), "EPT_MISCONFIG", false, exits("EPT_MISCONFIG"));
        step(new GuestOp.Pause(0), "EPT_MISCONFIG", false, exits("EPT_VIOLATION"));
        Fidelity fidelity = check.result("kvm-6.1", "Icelake-Server", counts);
        assertEquals(
                List.of(new Row("EPT_MISCONFIG", 2, 1, 1), new Row("EPT_VIOLATION", 0, 1, 0)),
                fidelity.byReason());
        assertEquals(
                Optional.of(new Mismatch(0, 2, 2, 20, "EPT_MISCONFIG", List.of("EPT_VIOLATION"))),
                fidelity.firstMismatch());
        assertEquals(
                "fidelity of kvm-6.1 on Icelake-Server: 1 of 2 VM exits match, 50.00%",
                fidelity.describe());
    }

    /// One exit more than the trace has is a mismatch, though its own is matched.
    @Test
    void anExitTooManyIsAMismatch() {
        counts.exit("HLT");
        step(new GuestOp.Hlt(0), "HLT", false, exits("HLT", "EXTERNAL_INTERRUPT"));
        Fidelity fidelity = check.result("kvm-6.1", "Icelake-Server", counts);
        assertEquals(1, fidelity.matched());
        assertTrue(fidelity.firstMismatch().isPresent());
    }

    @Test
    void withoutExitsWhatWasHandledIsTheBasis() {
        counts.userspaceExit("KVM_EXIT_IO");
        counts.userspaceExit("KVM_EXIT_IO");
        counts.access();
        counts.access();
        step(
                new GuestOp.Io(0, 0x80, 1, true, 0),
                "",
                false,
                new Predicted(List.of("IO_INSTRUCTION"), List.of("KVM_EXIT_IO"), Outcome.DONE));
        step(WRMSR, "", false, exits("MSR_WRITE"));
        step(WRMSR, "", false, exits());
        Fidelity fidelity = check.result("kvm-6.1", "Icelake-Server", counts);
        assertEquals(Basis.HANDLED, fidelity.basis());
        assertEquals(
                List.of(new Row("KVM_EXIT_IO", 2, 1, 1), new Row("kvm_msr", 2, 1, 1)),
                fidelity.byReason());
        assertEquals(
                "vCPU 0, op 3, event 3 of the trace: observed kvm_msr, the model has no exit",
                fidelity.firstMismatch().orElseThrow().describe());
        assertEquals(0.5, fidelity.share().orElseThrow());
    }

    @Test
    void anMsrLogHasNothingToHoldAgainst() {
        counts.addLogged();
        step(WRMSR, "", false, exits("MSR_WRITE"));
        Fidelity fidelity = check.result("kvm-6.1", "Icelake-Server", counts);
        assertEquals(Basis.NONE, fidelity.basis());
        assertTrue(fidelity.share().isEmpty());
        assertEquals(
                "fidelity of kvm-6.1 on Icelake-Server: unknown, nothing in the trace shows an exit",
                fidelity.describe());
    }

    /// 2 of 3 are 66.666…%: a share is never rounded up, so that 100 is all.
    @Test
    void theShareIsNotRoundedUp() {
        for (String exit : List.of("HLT", "HLT", "CPUID")) {
            counts.exit(exit);
            step(new GuestOp.Hlt(0), exit, false, exits("HLT"));
        }
        counts.gap();
        counts.gap();
        assertEquals(
                "fidelity of kvm-6.1 on Icelake-Server: 2 of 3 VM exits match, 66.66%;"
                        + " the tracer lost events 2 times",
                check.result("kvm-6.1", "Icelake-Server", counts).describe());
    }

    @Test
    void faultsAreHeldAgainstFaults() {
        Predicted faulting = new Predicted(List.of("MSR_WRITE"), List.of(), Outcome.GP);
        step(WRMSR, "MSR_WRITE", true, faulting);
        step(WRMSR, "MSR_WRITE", true, exits("MSR_WRITE"));
        step(WRMSR, "MSR_WRITE", false, faulting);
        assertEquals(
                new Faults(2, 2, 1), check.result("kvm-6.1", "Icelake-Server", counts).faults());
    }
}
