package trapline.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.Predicate;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Outcome;
import trapline.engine.sim.Machines;
import trapline.engine.state.MachineState;
import trapline.engine.state.Section;
import trapline.engine.state.Sections;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// What came out of a run: its events in order, and the machine at its end.
public record Recording(List<Envelope> envelopes, MachineState machine, Machines machines) {

    public VcpuState vcpu() {
        return machine.vcpu(0);
    }

    public List<Event> events() {
        return envelopes.stream().map(Envelope::event).toList();
    }

    /// The events of one kind, in order.
    public <E> List<E> all(Class<E> kind) {
        return envelopes.stream()
                .map(Envelope::event)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    public <E> List<E> all(Class<E> kind, Predicate<E> which) {
        return all(kind).stream().filter(which).toList();
    }

    public <E> long count(Class<E> kind, Predicate<E> which) {
        return all(kind).stream().filter(which).count();
    }

    /// The only event of its kind.
    public <E> E only(Class<E> kind) {
        List<E> found = all(kind);
        assertEquals(1, found.size(), () -> kind.getSimpleName() + ": " + found);
        return found.getFirst();
    }

    public <E> E only(Class<E> kind, Predicate<E> which) {
        List<E> found = all(kind, which);
        assertEquals(1, found.size(), () -> kind.getSimpleName() + ": " + found);
        return found.getFirst();
    }

    public <E> E last(Class<E> kind) {
        return all(kind).getLast();
    }

    /// The events of one op of a vCPU, by its ordinal from 1; 0 for those before the first.
    public List<Event> ofOp(int vcpu, long op) {
        return envelopes.stream()
                .filter(e -> e.stamp().vcpu() == vcpu && e.stamp().op() == op)
                .map(Envelope::event)
                .toList();
    }

    /// The events of the last op of vCPU 0.
    public List<Event> ofLastOp() {
        return ofOp(0, vcpu().op());
    }

    public long exits() {
        return all(VmExited.class).size();
    }

    /// The exits with a reason, named as `kvm_exit` prints it.
    public long exits(String reason) {
        return count(VmExited.class, e -> reasonOf(e).equals(reason));
    }

    /// The names of all exits, in order.
    public List<String> exitReasons() {
        return all(VmExited.class).stream().map(this::reasonOf).toList();
    }

    /// The names of the exits of L1 or of L2, in order.
    public List<String> exitReasons(int level) {
        return all(VmExited.class, e -> e.level() == level).stream().map(this::reasonOf).toList();
    }

    private String reasonOf(VmExited exit) {
        return machines.platform().vendor() == Vendor.VMX
                ? ExitReasons.vmx(exit.reason())
                : ExitReasons.svm(exit.reason());
    }

    public long entries() {
        return all(VmEntered.class).size();
    }

    /// How often the hypervisor read an MSR for a cause.
    public long hostReads(int msr, HostCause cause) {
        return count(HostMsrRead.class, e -> e.msr() == msr && e.cause() == cause);
    }

    /// How often the hypervisor wrote an MSR for a cause.
    public long hostWrites(int msr, HostCause cause) {
        return count(HostMsrWritten.class, e -> e.msr() == msr && e.cause() == cause);
    }

    /// The outcomes of all ops of the guest, in order.
    public List<Outcome> outcomes() {
        return all(GuestEvent.class).stream().map(GuestEvent::outcome).toList();
    }

    public long intercepts(int bitmap, int msr) {
        return count(MsrInterceptChanged.class, e -> e.bitmap() == bitmap && e.msr() == msr);
    }

    /// The values that the hypervisor wrote to a field of a structure, in order.
    public List<Long> written(int structure, Field field) {
        return envelopes.stream()
                .map(Envelope::event)
                .<Long>mapMulti((event, out) -> {
                    if (event instanceof VmcsFieldWritten(int vmcs, int id, _, long value)
                            && vmcs == structure
                            && id == field.id()) {
                        out.accept(value);
                    }
                    if (event instanceof VmcbFieldWritten(int vmcb, int id, _, long value)
                            && vmcb == structure
                            && id == field.id()) {
                        out.accept(value);
                    }
                })
                .toList();
    }

    /// A field of a vCPU's structure at the end, by name.
    public long field(int structure, String name) {
        Layout layout = machines.platform().vendor().layout();
        return vcpu().image(structure).get(layout.named(name));
    }

    public void assertFoldsAgain() {
        MachineState again = new MachineState(machines.config());
        envelopes.forEach(again::apply);
        assertSame(Sections.of(machine), Sections.of(again));
    }

    /// That two machines are in the same state, section by section.
    public static void assertSame(List<Section> expected, List<Section> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            String name = expected.get(i).name();
            if (!expected.get(i).equals(actual.get(i))) {
                assertEquals(describe(expected.get(i)), describe(actual.get(i)), name);
            }
        }
    }

    private static String describe(Section section) {
        StringBuilder text = new StringBuilder(section.name());
        for (int i = 0; i < section.keys().length; i++) {
            text.append(" 0x")
                    .append(Long.toHexString(section.keys()[i]))
                    .append("=0x")
                    .append(Long.toHexString(section.values()[i]));
        }
        return text.toString();
    }
}
