package trapline.engine.cpu.vmx;

import static trapline.engine.cpu.vmx.EntryCheck.Stage.CONTROLS;
import static trapline.engine.cpu.vmx.EntryCheck.Stage.GUEST;
import static trapline.engine.cpu.vmx.EntryCheck.Stage.HOST;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import trapline.engine.cpu.ControlRegisters;
import trapline.engine.cpu.HardwareMsrs;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.ProcessorTrace;
import trapline.engine.state.Image;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// The checks of VM entry that this model can fail, in the processor's order (SDM vol. 3C, VM Entries).
///
/// A VMCS is checked again only after software wrote to it: a guest that runs keeps its own state valid.
public final class EntryChecks {

    private static final long CR0_PE = 1;
    private static final long CR0_NE = 1 << 5;
    private static final long CR0_NW = 1 << 29;
    private static final long CR0_CD = 1 << 30;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR4_VMXE = 1 << 13;
    private static final long CR4_PCIDE = 1 << 17;
    private static final long EFER_LME = 1 << 8;
    private static final long EFER_LMA = 1 << 10;
    private static final long EFER_RESERVED = ~0xd01L;
    private static final long RFLAGS_ONE = 2;
    private static final long RFLAGS_RESERVED = ~0x3f7fd7L;
    private static final long RFLAGS_IF = 1 << 9;
    private static final long PHYSICAL_RESERVED = ControlRegisters.beyondMemory(Vendor.VMX);

    /// The one check that looks beyond the VMCS, at the MSR.
    private static final EntryCheck TRACING =
            new EntryCheck("load-rtit-ctl-while-tracing", CONTROLS, _ -> false);

    private final List<EntryCheck> checks = new ArrayList<>();
    private final long[][] checked;
    private final MachineState machine;
    private final boolean traces;

    public EntryChecks(MachineState machine, Platform platform) {
        checked = new long[machine.vcpus()][2];
        for (long[] versions : checked) {
            versions[0] = -1;
            versions[1] = -1;
        }
        this.machine = machine;
        traces = platform.has("INTEL_PT");
        controls(new AllowedControls(platform));
        host();
        guest();
    }

    /// What is checked of a VMCS, in order.
    public List<String> names() {
        return checks.stream().map(EntryCheck::name).toList();
    }

    /// The first check that the vCPU's current VMCS fails, or null.
    EntryCheck firstFailure(VcpuState vcpu) {
        Image vmcs = vcpu.current();
        if (traces && loadsWhileTracing(vcpu, vmcs)) {
            return TRACING;
        }
        long[] versions = checked[vcpu.id()];
        int slot = vcpu.level() - 1;
        if (versions[slot] == vmcs.version()) {
            return null;
        }
        EntryCheck failure = firstFailure(vmcs);
        versions[slot] = failure == null ? vmcs.version() : -1;
        return failure;
    }

    /// With "load IA32_RTIT_CTL", nothing may be traced when the guest is entered.
    private boolean loadsWhileTracing(VcpuState vcpu, Image vmcs) {
        return vmcs.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_RTIT_CTL)
                && (machine.pcpuOf(vcpu).msr(Msrs.RTIT_CTL) & ProcessorTrace.TRACE_EN) != 0;
    }

    /// A check that a VMCS fails.
    ///
    /// @param reason VM-instruction error, or for guest state the exit reason
    public record Failure(String name, long reason, boolean guestState) {}

    /// The first check that this VMCS fails, or null: what L0 asks of vmcs12.
    public Failure failure(Image vmcs) {
        EntryCheck check = firstFailure(vmcs);
        return check == null
                ? null
                : new Failure(check.name(), check.reason(), check.stage() == GUEST);
    }

    private EntryCheck firstFailure(Image vmcs) {
        for (EntryCheck check : checks) {
            if (!check.holds().test(vmcs)) {
                return check;
            }
        }
        return null;
    }

    private void check(EntryCheck.Stage stage, String name, Predicate<Image> holds) {
        checks.add(new EntryCheck(name, stage, holds));
    }

    private void controls(AllowedControls allowed) {
        for (AllowedControls.Group group : allowed.groups()) {
            check(CONTROLS, group.name() + "-reserved-bits", group::allows);
        }
        check(CONTROLS, "cr3-target-count", v -> v.get(Vmcs.CR3_TARGET_COUNT) <= 4);
        check(
                CONTROLS,
                "msr-bitmap-address",
                v ->
                        !v.has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)
                                || pageAddress(v.get(Vmcs.MSR_BITMAP)));
        check(
                CONTROLS,
                "virtual-apic-page-address",
                v ->
                        !v.has(Vmcs.PRIMARY, Vmcs.TPR_SHADOW)
                                || pageAddress(v.get(Vmcs.VIRTUAL_APIC_PAGE)));
        check(
                CONTROLS,
                "nmi-exiting-and-virtual-nmis",
                v ->
                        v.has(Vmcs.PIN_BASED, Vmcs.NMI_EXITING)
                                || !v.has(Vmcs.PIN_BASED, Vmcs.VIRTUAL_NMIS));
        check(
                CONTROLS,
                "apic-access-address",
                v ->
                        !secondary(v, Vmcs.VIRTUALIZE_APIC)
                                || pageAddress(v.get(Vmcs.APIC_ACCESS_ADDRESS)));
        check(
                CONTROLS,
                "x2apic-mode-needs-tpr-shadow",
                v ->
                        !secondary(v, Vmcs.VIRTUALIZE_X2APIC)
                                || (v.has(Vmcs.PRIMARY, Vmcs.TPR_SHADOW)
                                        && !secondary(v, Vmcs.VIRTUALIZE_APIC)));
        check(
                CONTROLS,
                "vpid-not-zero",
                v -> !secondary(v, Vmcs.ENABLE_VPID) || v.get(Vmcs.VPID) != 0);
        check(
                CONTROLS,
                "ept-pointer",
                v -> !secondary(v, Vmcs.ENABLE_EPT) || eptPointer(v.get(Vmcs.EPT_POINTER)));
        check(
                CONTROLS,
                "unrestricted-guest-needs-ept",
                v -> !secondary(v, Vmcs.UNRESTRICTED_GUEST) || secondary(v, Vmcs.ENABLE_EPT));
        check(
                CONTROLS,
                "pt-use-gpa-needs-ept-and-rtit-ctl",
                v ->
                        !secondary(v, Vmcs.PT_USE_GPA)
                                || (secondary(v, Vmcs.ENABLE_EPT)
                                        && v.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_RTIT_CTL)
                                        && v.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_CLEAR_RTIT_CTL)));
        check(CONTROLS, "entry-interruption-type", EntryChecks::entryInterruption);
    }

    private void host() {
        check(HOST, "host-cr0", v -> cr0Fixed(v.get(Vmcs.HOST_CR0)));
        check(HOST, "host-cr4", v -> (v.get(Vmcs.HOST_CR4) & CR4_VMXE) != 0);
        check(HOST, "host-cr3-address", v -> (v.get(Vmcs.HOST_CR3) & PHYSICAL_RESERVED) == 0);
        check(HOST, "host-cs-selector", v -> v.get(Vmcs.HOST_CS_SELECTOR) != 0);
        check(HOST, "host-tr-selector", v -> v.get(Vmcs.HOST_TR_SELECTOR) != 0);
        check(HOST, "host-rip-canonical", v -> canonical(v, Vmcs.HOST_RIP));
        check(HOST, "host-fs-base-canonical", v -> canonical(v, Vmcs.HOST_FS_BASE));
        check(HOST, "host-gs-base-canonical", v -> canonical(v, Vmcs.HOST_GS_BASE));
        check(
                HOST,
                "host-pat",
                v ->
                        !v.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_LOAD_PAT)
                                || HardwareMsrs.validPat(v.get(Vmcs.HOST_PAT)));
        check(
                HOST,
                "host-efer",
                v ->
                        !v.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_LOAD_EFER)
                                || longModeEfer(v.get(Vmcs.HOST_EFER)));
        check(
                HOST,
                "host-address-space-size",
                v ->
                        v.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_HOST_64)
                                && (v.get(Vmcs.HOST_CR4) & CR4_PAE) != 0);
    }

    private void guest() {
        check(GUEST, "guest-cr0", EntryChecks::guestCr0);
        check(
                GUEST,
                "guest-cr0-pg-without-pe",
                v ->
                        (v.get(Vmcs.GUEST_CR0) & CR0_PG) == 0
                                || (v.get(Vmcs.GUEST_CR0) & CR0_PE) != 0);
        check(
                GUEST,
                "guest-cr0-nw-without-cd",
                v ->
                        (v.get(Vmcs.GUEST_CR0) & CR0_NW) == 0
                                || (v.get(Vmcs.GUEST_CR0) & CR0_CD) != 0);
        check(GUEST, "guest-cr4", v -> (v.get(Vmcs.GUEST_CR4) & CR4_VMXE) != 0);
        check(
                GUEST,
                "guest-ia32e-mode-needs-paging",
                v ->
                        !v.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_IA32E_MODE)
                                || ((v.get(Vmcs.GUEST_CR0) & CR0_PG) != 0
                                        && (v.get(Vmcs.GUEST_CR4) & CR4_PAE) != 0));
        check(
                GUEST,
                "guest-pcide-needs-ia32e-mode",
                v ->
                        v.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_IA32E_MODE)
                                || (v.get(Vmcs.GUEST_CR4) & CR4_PCIDE) == 0);
        check(GUEST, "guest-cr3-address", v -> (v.get(Vmcs.GUEST_CR3) & PHYSICAL_RESERVED) == 0);
        check(
                GUEST,
                "guest-dr7-high-bits",
                v ->
                        !v.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_DEBUG)
                                || v.get(Vmcs.GUEST_DR7) >>> 32 == 0);
        check(
                GUEST,
                "guest-pat",
                v ->
                        !v.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_PAT)
                                || HardwareMsrs.validPat(v.get(Vmcs.GUEST_PAT)));
        check(GUEST, "guest-efer", EntryChecks::guestEfer);
        check(GUEST, "guest-fs-base-canonical", v -> canonical(v, Vmcs.GUEST_FS_BASE));
        check(GUEST, "guest-gs-base-canonical", v -> canonical(v, Vmcs.GUEST_GS_BASE));
        for (String field : List.of("GUEST_SYSENTER_ESP", "GUEST_SYSENTER_EIP")) {
            Field msr = Layout.VMCS.named(field);
            check(
                    GUEST,
                    field.toLowerCase(java.util.Locale.ROOT).replace('_', '-') + "-canonical",
                    v -> canonical(v, msr));
        }
        check(
                GUEST,
                "guest-rflags",
                v ->
                        (v.get(Vmcs.GUEST_RFLAGS) & RFLAGS_ONE) != 0
                                && (v.get(Vmcs.GUEST_RFLAGS) & RFLAGS_RESERVED) == 0);
        check(
                GUEST,
                "guest-rflags-if-for-interrupt",
                v -> !injectsInterrupt(v) || (v.get(Vmcs.GUEST_RFLAGS) & RFLAGS_IF) != 0);
        check(GUEST, "guest-activity-state", v -> v.get(Vmcs.ACTIVITY_STATE) <= 3);
        check(GUEST, "guest-interruptibility", v -> (v.get(Vmcs.INTERRUPTIBILITY) & ~0x1fL) == 0);
        check(GUEST, "guest-rip-canonical", v -> canonical(v, Vmcs.GUEST_RIP));
        check(
                GUEST,
                "vmcs-link-pointer",
                v -> v.get(Vmcs.LINK_POINTER) == -1 || secondary(v, Vmcs.SHADOW_VMCS));
    }

    private static boolean secondary(Image vmcs, long control) {
        return vmcs.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_SECONDARY) && vmcs.has(Vmcs.SECONDARY, control);
    }

    private static boolean canonical(Image vmcs, Field field) {
        return HardwareMsrs.canonical(vmcs.get(field));
    }

    private static boolean pageAddress(long address) {
        return (address & (PHYSICAL_RESERVED | 0xfff)) == 0;
    }

    /// Write-back or uncached, a walk of four or five levels, no reserved bit.
    private static boolean eptPointer(long pointer) {
        long type = pointer & 7;
        long walk = pointer >>> 3 & 7;
        return (type == 0 || type == 6)
                && (walk == 3 || walk == 4)
                && (pointer & (PHYSICAL_RESERVED | 0xf80)) == 0;
    }

    private static boolean entryInterruption(Image vmcs) {
        long info = vmcs.get(Vmcs.ENTRY_INTERRUPT_INFO);
        if ((info & Vmcs.VALID) == 0) {
            return true;
        }
        long type = info >>> 8 & 7;
        long vector = info & 0xff;
        return type != 1
                && (type != 2 || vector == 2)
                && (type != 3 || vector <= 31)
                && (info & 0x7fff_f000L) == 0;
    }

    private static boolean injectsInterrupt(Image vmcs) {
        long info = vmcs.get(Vmcs.ENTRY_INTERRUPT_INFO);
        return (info & Vmcs.VALID) != 0 && (info >>> 8 & 7) == 0;
    }

    private static boolean cr0Fixed(long cr0) {
        return (cr0 & CR0_NE) != 0 && (cr0 & CR0_PE) != 0 && (cr0 & CR0_PG) != 0;
    }

    private static boolean guestCr0(Image vmcs) {
        long cr0 = vmcs.get(Vmcs.GUEST_CR0);
        return secondary(vmcs, Vmcs.UNRESTRICTED_GUEST) ? (cr0 & CR0_NE) != 0 : cr0Fixed(cr0);
    }

    private static boolean longModeEfer(long efer) {
        return (efer & EFER_RESERVED) == 0 && (efer & EFER_LMA) != 0 && (efer & EFER_LME) != 0;
    }

    /// LMA is the entry control, and LME goes with it while paging is on.
    private static boolean guestEfer(Image vmcs) {
        if (!vmcs.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_EFER)) {
            return true;
        }
        long efer = vmcs.get(Vmcs.GUEST_EFER);
        boolean lma = (efer & EFER_LMA) != 0;
        boolean lme = (efer & EFER_LME) != 0;
        boolean paging = (vmcs.get(Vmcs.GUEST_CR0) & CR0_PG) != 0;
        return (efer & EFER_RESERVED) == 0
                && lma == vmcs.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_IA32E_MODE)
                && (!paging || lma == lme);
    }
}
