package trapline.engine.event;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The tracepoints of `kvm:` that the modelled trees have, and what each tells.
///
/// A tracepoint has the fields of all trees together, by one name where trees differ: what a text lacks is absent
/// from [TraceFields]. `isa` is KVM's number, 1 for VMX and 2 for SVM. New ones go to the end, new fields too.
public enum Tracepoint {
    // spotless:off
    KVM_ENTRY("vcpu", "rip", "immediateExit", "intrInfo", "errorCode"),
    KVM_EXIT("vcpu", "isa", "reason", "rip", "info1", "info2", "intrInfo", "errorCode", "requests"),
    KVM_MSR("write", "msr", "value", "fault"),
    KVM_CPUID("function", "rax", "rbx", "rcx", "rdx", "found", "index", "usedMaxBasic"),
    KVM_CR("write", "cr", "value"),
    KVM_PIO("write", "port", "size", "count", "value"),
    KVM_MMIO("type", "len", "gpa", "value"),
    KVM_FAST_MMIO("gpa"),
    KVM_INJ_VIRQ("vector", "soft", "reinjected"),
    KVM_INJ_EXCEPTION("exception", "hasError", "errorCode", "reinjected"),
    KVM_NESTED_VMRUN("rip", "vmcb", "nestedRip", "intCtl", "eventInj", "npt"),
    KVM_NESTED_VMENTER("isa", "rip", "vmcb", "nestedRip", "intCtl", "eventInj", "tdpEnabled", "guestPgd"),
    KVM_NESTED_VMEXIT("vcpu", "isa", "reason", "rip", "info1", "info2", "intrInfo", "errorCode", "requests"),
    KVM_NESTED_VMEXIT_INJECT("isa", "reason", "info1", "info2", "intrInfo", "errorCode"),
    KVM_NESTED_INTR_VMEXIT("rip"),
    KVM_NESTED_INTERCEPTS("crRead", "crWrite", "exceptions", "intercept", "intercept1", "intercept2", "intercept3"),
    KVM_NESTED_VMENTER_FAILED("err"),
    KVM_HYPERCALL("nr", "a0", "a1", "a2", "a3"),
    KVM_APIC("write", "reg", "value"),
    KVM_APIC_IPI("icrLow", "destId"),
    KVM_APIC_ACCEPT_IRQ("apicid", "dm", "tm", "vec"),
    KVM_EOI("apicid", "vector"),
    KVM_PV_EOI("apicid", "vector"),
    KVM_USERSPACE_EXIT("reason", "errno"),
    KVM_HALT_POLL_NS("vcpu", "grow", "new", "old"),
    KVM_VCPU_WAKEUP("ns", "waited", "valid"),
    KVM_PAGE_FAULT("vcpu", "rip", "faultAddress", "errorCode"),
    KVM_FPU("load"),
    KVM_SET_IRQ("gsi", "level", "irqSourceId"),
    KVM_ACK_IRQ("irqchip", "pin"),
    KVM_MSI_SET_IRQ("address", "data"),
    KVM_EMULATE_INSN("rip", "csbase", "len", "insnLow", "insnHigh", "flags", "failed"),
    KVM_SMM_TRANSITION("vcpu", "smbase", "entering"),
    KVM_ENTER_SMM("vcpu", "smbase", "entering"),
    KVM_WRITE_TSC_OFFSET("vcpu", "previousTscOffset", "nextTscOffset"),
    KVM_WAIT_LAPIC_EXPIRE("vcpu", "delta"),
    KVM_PLE_WINDOW_UPDATE("vcpu", "new", "old"),
    KVM_VMGEXIT_ENTER("vcpu", "reason", "info1", "info2"),
    KVM_VMGEXIT_EXIT("vcpu", "reason", "info1", "info2"),
    KVM_INVLPGA("rip", "asid", "address"),
    KVM_SKINIT("rip", "slb"),
    KVM_ASYNC_PF_COMPLETED("address", "gva"),
    KVM_APICV_INHIBIT_CHANGED("reason", "set", "inhibits");
    // spotless:on

    private static final Map<String, Tracepoint> BY_NAME =
            Stream.of(values()).collect(Collectors.toMap(Tracepoint::text, Function.identity()));

    private final String text;
    private final List<String> fields;
    private final int vcpu;

    Tracepoint(String... fields) {
        text = name().toLowerCase(Locale.ROOT);
        this.fields = List.of(fields);
        vcpu = this.fields.indexOf("vcpu");
    }

    /// The tracepoint of this name, or null.
    public static Tracepoint named(String text) {
        return BY_NAME.get(text);
    }

    /// Its name, as a trace prints it.
    public String text() {
        return text;
    }

    /// Its fields in their order, a place in [TraceFields] each.
    public List<String> fields() {
        return fields;
    }

    /// The place of the field that tells the vCPU, or -1.
    public int vcpu() {
        return vcpu;
    }

    /// The place of a field, or -1.
    public int field(String name) {
        return fields.indexOf(name);
    }
}
