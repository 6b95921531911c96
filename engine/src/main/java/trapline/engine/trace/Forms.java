package trapline.engine.trace;

import static trapline.engine.event.Tracepoint.*;
import static trapline.engine.trace.TraceTree.*;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Tracepoint;

/// All forms of all tracepoints.
///
/// A text that two forms of a tracepoint take tells the same in both, so that they may be tried in any order. What no
/// tree prints but some tool or older kernel does has no tree.
final class Forms {

    private static final Form[][] ALL = new Form[Tracepoint.values().length][];
    private static final Form[][] OTHERS = new Form[Tracepoint.values().length][];

    private static final String EXIT =
            "vcpu {vcpu:u} reason {flagged!} rip 0x{rip:x} info1 0x{info1:x016} info2 0x{info2:x016}"
                    + " intr_info 0x{intrInfo:x08} error_code 0x{errorCode:x08}";
    private static final String INJECTED =
            " ext_inf1: 0x{info1:x016} ext_inf2: 0x{info2:x016} ext_int: 0x{intrInfo:x08}"
                    + " ext_int_err: 0x{errorCode:x08}";
    private static final String SMM =
            "vcpu {vcpu:u}: {entering=leaving~entering} SMM, smbase 0x{smbase:x}";
    private static final String VMGEXIT =
            "vcpu {vcpu:u}, exit_reason {reason:x}, exit_info1 {info1:x}, exit_info2 {info2:x}";

    static {
        // spotless:off
        forms(KVM_ENTRY,
                V6_18, "vcpu {vcpu:u}, rip 0x{rip:x} intr_info 0x{intrInfo:x08} error_code 0x{errorCode:x08}"
                        + "{immediateExit=~[immediate exit]}",
                V6_12, "vcpu {vcpu:u}, rip 0x{rip:x}{immediateExit?[immediate exit]}",
                V6_6, "vcpu {vcpu:u}, rip 0x{rip:x}",
                V6_1, "vcpu {vcpu:u}, rip 0x{rip:x}{immediateExit?[immediate exit]}",
                V5_15, "vcpu {vcpu:u}, rip 0x{rip:x}",
                V5_4, "vcpu {vcpu:u}");
        forms(KVM_EXIT,
                V5_15, EXIT,
                V6_18, EXIT + " requests 0x{requests:x016}",
                V5_4, "vcpu {vcpu:u} reason {reason!} rip 0x{rip:x} info {info1:x} {info2:x}");
        forms(KVM_MSR, V5_4, "msr_{write=read~write} {msr:x} = 0x{value:x}{fault=~ (#GP)}");
        forms(KVM_CPUID,
                V5_15, "func {function:x} idx {index:x} rax {rax:x} rbx {rbx:x} rcx {rcx:x} rdx {rdx:x}, cpuid entry "
                        + "{found=not found~found}{usedMaxBasic=~, used max basic}",
                V5_4, "func {function:x} rax {rax:x} rbx {rbx:x} rcx {rcx:x} rdx {rdx:x}, cpuid entry "
                        + "{found=not found~found}");
        forms(KVM_CR, V5_4, "cr_{write=read~write} {cr:x} = 0x{value:x}");
        forms(KVM_PIO,
                V5_4, "pio_{write=read~write} at 0x{port:x} size {size:d} count {count:d} val 0x{value:x}{more!}");
        others(KVM_PIO, "pio_{write=read~write} at 0x{port:x} size {size:d} count {count:d}");
        forms(KVM_MMIO, V5_4, "mmio {type@mmio} len {len:u} gpa 0x{gpa:x} val 0x{value:x}");
        forms(KVM_FAST_MMIO, V5_4, "fast mmio at gpa 0x{gpa:x}");
        forms(KVM_INJ_VIRQ,
                V6_1, "{soft=IRQ~Soft/INTn} 0x{vector:x}{reinjected=~ [reinjected]}",
                V5_4, "irq {vector:u}");
        forms(KVM_INJ_EXCEPTION, V6_1, "{exception!}", V5_15, "{exception15!}", V5_4, "{exception4!}");
        forms(KVM_NESTED_VMRUN,
                V5_4, "rip: 0x{rip:x016} vmcb: 0x{vmcb:x016} nrip: 0x{nestedRip:x016} int_ctl: 0x{intCtl:x08}"
                        + " event_inj: 0x{eventInj:x08} npt: {npt=off~on}");
        forms(KVM_NESTED_VMENTER,
                V6_1, "rip: 0x{rip:x016} {isa@nested-image}: 0x{vmcb:x016} nested_rip: 0x{nestedRip:x016}"
                        + " int_ctl: 0x{intCtl:x08} event_inj: 0x{eventInj:x08} nested_{isa@nested-paging}={tdpEnabled=n~y}"
                        + " {pgd!}: 0x{guestPgd:x016}");
        forms(KVM_NESTED_VMEXIT,
                V5_15, EXIT,
                V6_18, EXIT + " requests 0x{requests:x016}",
                V5_4, "rip: 0x{rip:x016} reason: {reason!}" + INJECTED);
        forms(KVM_NESTED_VMEXIT_INJECT,
                V5_15, "reason: {flagged!}" + INJECTED,
                V5_4, "reason: {reason!}" + INJECTED);
        forms(KVM_NESTED_INTR_VMEXIT, V5_4, "rip: 0x{rip:x016}");
        forms(KVM_NESTED_INTERCEPTS,
                V5_15, "cr_read: {crRead:x04} cr_write: {crWrite:x04} excp: {exceptions:x08}"
                        + " intercepts: {intercept1:x08} {intercept2:x08} {intercept3:x08}",
                V5_4, "cr_read: {crRead:x04} cr_write: {crWrite:x04} excp: {exceptions:x08} intercept: {intercept:x016}");
        forms(KVM_NESTED_VMENTER_FAILED, V5_4, "{failure!}");
        forms(KVM_HYPERCALL, V5_4, "nr 0x{nr:x} a0 0x{a0:x} a1 0x{a1:x} a2 0x{a2:x} a3 0x{a3:x}");
        forms(KVM_APIC, V5_4, "apic_{write=read~write} {reg@apic} = 0x{value:x}");
        forms(KVM_APIC_IPI,
                V5_4, "dst {destId:x} vec {icrLow.0.8:u} ({icrLow.8.3@delivery}|{icrLow.11.1=physical~logical}"
                        + "|{icrLow.14.1=de-assert~assert}|{icrLow.15.1=edge~level}|{icrLow.18.2@shorthand})");
        forms(KVM_APIC_ACCEPT_IRQ,
                V5_4, "apicid {apicid:x} vec {vec:u} ({dm.8.3@delivery}|{tm=edge~level})");
        others(KVM_APIC_ACCEPT_IRQ,
                "apicid {apicid:x} vec {vec:u} ({dm.8.3@delivery}|{tm=edge~level}) (coalesced)");
        forms(KVM_EOI, V5_4, "apicid {apicid:x} vector {vector:d}");
        forms(KVM_PV_EOI, V5_4, "apicid {apicid:x} vector {vector:d}");
        forms(KVM_USERSPACE_EXIT, V5_4, "reason {userspace!}");
        forms(KVM_HALT_POLL_NS, V5_4, "vcpu {vcpu:u}: halt_poll_ns {new:u} ({grow=shrink~grow} {old:u})");
        forms(KVM_VCPU_WAKEUP, V5_4, "{waited=poll~wait} time {ns:d} ns, polling {valid=invalid~valid}");
        others(KVM_VCPU_WAKEUP, "{waited=poll~wait} time {ns:d} ns");
        forms(KVM_PAGE_FAULT,
                V6_1, "vcpu {vcpu:u} rip 0x{rip:x} address 0x{faultAddress:x016} error_code 0x{errorCode:x}",
                V5_4, "address {faultAddress:x} error_code {errorCode:x}");
        forms(KVM_FPU, V5_4, "{load@fpu}");
        forms(KVM_SET_IRQ, V5_4, "gsi {gsi:u} level {level:d} source {irqSourceId:d}");
        forms(KVM_ACK_IRQ, V5_4, "irqchip {irqchip=PIC master~PIC slave~IOAPIC} pin {pin:u}");
        forms(KVM_MSI_SET_IRQ,
                V5_4, "dst {destination!} vec {data.0.8:u} ({data.8.3@delivery}|{address.2.1=physical~logical}"
                        + "|{data.15.1=edge~level}{address.3.1=~|rh})");
        forms(KVM_EMULATE_INSN, V5_4, "{csbase:x}:{rip:x}:{insn!} ({flags@emulation}){failed=~ failed}");
        others(KVM_EMULATE_INSN, "{csbase:x}:{rip:x}:{insn!}{failed=~ FAIL}");
        forms(KVM_SMM_TRANSITION, V5_15, SMM);
        forms(KVM_ENTER_SMM, V5_4, SMM);
        forms(KVM_WRITE_TSC_OFFSET,
                V5_4, "vcpu={vcpu:u} prev={previousTscOffset:u} next={nextTscOffset:u}");
        forms(KVM_WAIT_LAPIC_EXPIRE, V5_4, "vcpu {vcpu:u}: delta {delta:d} ({early!})");
        forms(KVM_PLE_WINDOW_UPDATE, V5_4, "vcpu {vcpu:u} old {old:u} new {new:u} ({grown!})");
        forms(KVM_VMGEXIT_ENTER, V5_15, VMGEXIT);
        forms(KVM_VMGEXIT_EXIT, V5_15, VMGEXIT);
        forms(KVM_INVLPGA,
                V6_1, "rip: 0x{rip:x016} asid: {asid:u} address: 0x{address:x016}",
                V5_4, "rip: 0x{rip:x016} asid: {asid:d} address: 0x{address:x016}");
        forms(KVM_SKINIT, V5_4, "rip: 0x{rip:x016} slb: 0x{slb:x08}");
        forms(KVM_ASYNC_PF_COMPLETED, V5_4, "gva {gva:#x} address {address:#x}");
        forms(KVM_APICV_INHIBIT_CHANGED,
                V6_12, "{set=cleared~set} reason={reason:u}, inhibits=0x{inhibits:x}{inhibited!}",
                V6_1, "{set=cleared~set} reason={reason:u}, inhibits=0x{inhibits:x}");
        // spotless:on
    }

    private Forms() {}

    private static void forms(Tracepoint point, Object... treesAndTexts) {
        List<Form> forms = new ArrayList<>();
        for (int i = 0; i < treesAndTexts.length; i += 2) {
            forms.add(new Form((TraceTree) treesAndTexts[i], point, (String) treesAndTexts[i + 1]));
        }
        ALL[point.ordinal()] = forms.toArray(Form[]::new);
        OTHERS[point.ordinal()] = new Form[0];
    }

    private static void others(Tracepoint point, String text) {
        OTHERS[point.ordinal()] = new Form[] {new Form(null, point, text)};
    }

    /// Those of the trees.
    static Form[] of(Tracepoint point) {
        return ALL[point.ordinal()];
    }

    /// Those of older kernels and of tools.
    static Form[] others(Tracepoint point) {
        return OTHERS[point.ordinal()];
    }

    /// That of a tree; null where it has no such tracepoint.
    static Form of(Tracepoint point, TraceTree tree) {
        Form latest = null;
        for (Form form : of(point)) {
            if (form.since.compareTo(tree) <= 0
                    && (latest == null || form.since.compareTo(latest.since) > 0)) {
                latest = form;
            }
        }
        return latest;
    }
}
