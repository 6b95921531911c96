package trapline.engine.exit.vmx;

import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.cpu.vmx.EntryChecks;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.exit.HostValues;
import trapline.engine.exit.PtMsrs;
import trapline.engine.exit.Vcpu;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.MergeEntry;
import trapline.engine.state.Image;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// Nested virtualization on Intel: `nested.c` of VMX.
final class NestedVmx {

    private static final int BITMAP_PAGE_02 = 2;
    private static final int EPT_PAGE_02 = 6;
    private static final long EPT_FLAGS = 0x1e;
    private static final long VPID_02 = 0x8000;
    private static final long CR4_VMXE = 1 << 13;
    private static final long EFER_LONG_MODE = (1 << 8) | (1 << 10);

    /// Secondary controls that L2 has only if L1 gives them to it.
    private static final long ONLY_FROM_12 =
            Vmcs.SHADOW_VMCS
                    | Vmcs.VIRTUALIZE_APIC
                    | Vmcs.VIRTUALIZE_X2APIC
                    | Vmcs.ENABLE_RDTSCP
                    | Vmcs.ENABLE_INVPCID
                    | Vmcs.ENABLE_XSAVES
                    | Vmcs.ENABLE_WAIT;

    private static final int LAUNCH_NOT_CLEAR = 4;
    private static final int RESUME_NOT_LAUNCHED = 5;
    private static final int UNSUPPORTED_COMPONENT = 12;
    private static final int READ_ONLY_COMPONENT = 13;

    private static final RegisterMap REGISTERS = RegisterMap.of(Vendor.VMX);

    private final Policy policy;
    private final EntryChecks checks;

    /// Whether the processor shadows SPEC_CTRL for the guest. L1 is not shown that it can.
    private final boolean shadowsSpecCtrl;

    private final WritesBuilder writes = new WritesBuilder();

    NestedVmx(Policy policy, EntryChecks checks, boolean shadowsSpecCtrl) {
        this.policy = policy;
        this.checks = checks;
        this.shadowsSpecCtrl = shadowsSpecCtrl;
    }

    /// VMXON and the instructions that need it.
    Outcome execute(Vcpu v, GuestOp.VmOp op) {
        if (op.instruction() == VmInstruction.VMXON) {
            return vmxon(v);
        }
        if (!v.state().is(Kvm.VMXON)) {
            return Outcome.UD;
        }
        return switch (op.instruction()) {
            case VMPTRLD -> {
                shadow(v);
                yield Outcome.DONE;
            }
            case VMREAD, VMWRITE -> access(v, op);
            default -> Outcome.DONE;
        };
    }

    private static Outcome vmxon(Vcpu v) {
        boolean vmxe = (v.state().register(Reg.CR4) & CR4_VMXE) != 0;
        if (!vmxe || !v.setup().model().has("VMX")) {
            return Outcome.UD;
        }
        if (v.state().is(Kvm.VMXON)) {
            return Outcome.FAILED;
        }
        PtMsrs.vmxon(v);
        return Outcome.DONE;
    }

    /// From now on L1 reaches the shadowed fields without an exit, where the processor can.
    private static void shadow(Vcpu v) {
        if (v.setup().platform().controls().contains("SECONDARY_EXEC_SHADOW_VMCS")) {
            long secondary = v.state().image(1).get(Vmcs.SECONDARY);
            VmxCode.write(v, 1, Vmcs.SECONDARY, secondary | Vmcs.SHADOW_VMCS);
        }
    }

    private static Outcome access(Vcpu v, GuestOp.VmOp op) {
        int encoding = (int) op.operand();
        if (v.state().kvm(Kvm.CURRENT_12) == 0) {
            return Outcome.FAILED;
        }
        if (!Layout.VMCS.has(encoding)) {
            VmxCode.write(v, 12, Vmcs.INSTRUCTION_ERROR, UNSUPPORTED_COMPONENT);
            return Outcome.FAILED;
        }
        boolean write = op.instruction() == VmInstruction.VMWRITE;
        if (write && Layout.VMCS.field(encoding).area() == Field.Area.EXIT_INFO) {
            VmxCode.write(v, 12, Vmcs.INSTRUCTION_ERROR, READ_ONLY_COMPONENT);
            return Outcome.FAILED;
        }
        return Outcome.DONE;
    }

    long read(Vcpu v, GuestOp.VmOp op) {
        boolean read = op.instruction() == VmInstruction.VMREAD;
        return read && Layout.VMCS.has((int) op.operand())
                ? v.state().image(12).get(Layout.VMCS.field((int) op.operand()))
                : op.value();
    }

    /// VMLAUNCH and VMRESUME: check vmcs12, build vmcs02, and L2 is the guest.
    void enterL2(Vcpu v, GuestOp.EnterNested op) {
        boolean launch = op.instruction() == EntryInstruction.VMLAUNCH;
        if (v.state().kvm(Kvm.CURRENT_12) == 0) {
            v.emit(new NestedEntered(op.rip(), op.instruction(), op.address(), Outcome.FAILED));
            return;
        }
        if (launch == v.state().is(Kvm.LAUNCHED_12)) {
            int error = launch ? LAUNCH_NOT_CLEAR : RESUME_NOT_LAUNCHED;
            VmxCode.write(v, 12, Vmcs.INSTRUCTION_ERROR, error);
            v.emit(new NestedEntered(op.rip(), op.instruction(), op.address(), Outcome.FAILED));
            return;
        }
        EntryChecks.Failure failure = checks.failure(v.state().image(12));
        if (failure != null && !failure.guestState()) {
            v.emit(new VmEntryFailed(2, failure.name(), failure.reason(), Writes.NONE));
            VmxCode.write(v, 12, Vmcs.INSTRUCTION_ERROR, failure.reason());
            v.emit(new NestedEntered(op.rip(), op.instruction(), op.address(), Outcome.FAILED));
            return;
        }
        v.emit(new NestedEntered(op.rip(), op.instruction(), op.address(), Outcome.DONE));
        if (failure != null) {
            v.emit(new VmEntryFailed(2, failure.name(), failure.reason(), Writes.NONE));
            exitToL1(v, failure.reason(), 0, false);
            return;
        }
        prepare02(v, merge(v));
    }

    /// Makes 02's bitmap, and says whether it can be used.
    boolean merge(Vcpu v) {
        boolean merged = mergeBitmaps(v);
        v.emit(new NestedBitmapMerged(merged));
        return merged;
    }

    /// vmcs02: host state of 01, guest state of 12, controls of both.
    private void prepare02(Vcpu v, boolean useBitmaps) {
        Image vmcs01 = v.state().image(1);
        Image vmcs12 = v.state().image(12);
        for (Field field : Layout.VMCS.fields()) {
            if (field.area() == Field.Area.HOST) {
                VmxCode.write(v, 2, field, vmcs01.get(field));
            } else if (field.area() == Field.Area.GUEST
                    && !field.equals(Vmcs.LINK_POINTER)
                    && !field.equals(Vmcs.GUEST_EFER)) {
                Image from = loaded(field, vmcs12) ? vmcs12 : vmcs01;
                VmxCode.write(v, 2, field, from.get(field));
            }
        }
        VmxCode.write(v, 2, Vmcs.LINK_POINTER, -1);
        VmxCode.write(
                v, 2, Vmcs.PIN_BASED, vmcs01.get(Vmcs.PIN_BASED) | vmcs12.get(Vmcs.PIN_BASED));
        long primary = (vmcs01.get(Vmcs.PRIMARY) & ~Vmcs.TPR_SHADOW) | vmcs12.get(Vmcs.PRIMARY);
        if ((primary & Vmcs.TPR_SHADOW) == 0) {
            primary |= Vmcs.CR8_LOAD_EXITING | Vmcs.CR8_STORE_EXITING;
        }
        primary |= Vmcs.UNCONDITIONAL_IO;
        primary &= ~(Vmcs.USE_IO_BITMAPS | Vmcs.USE_MSR_BITMAPS);
        VmxCode.write(v, 2, Vmcs.PRIMARY, primary | (useBitmaps ? Vmcs.USE_MSR_BITMAPS : 0));
        long secondary01 = vmcs01.get(Vmcs.SECONDARY) & ~ONLY_FROM_12;
        long secondary12 =
                vmcs12.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_SECONDARY) ? vmcs12.get(Vmcs.SECONDARY) : 0;
        VmxCode.write(v, 2, Vmcs.SECONDARY, secondary01 | secondary12);
        specCtrl02(v, vmcs01.get(Vmcs.TERTIARY));
        VmxCode.write(v, 2, Vmcs.EXIT_CONTROLS, vmcs01.get(Vmcs.EXIT_CONTROLS));
        long entry = vmcs01.get(Vmcs.ENTRY_CONTROLS) & ~Vmcs.ENTRY_IA32E_MODE;
        VmxCode.write(
                v,
                2,
                Vmcs.ENTRY_CONTROLS,
                entry | (vmcs12.get(Vmcs.ENTRY_CONTROLS) & Vmcs.ENTRY_IA32E_MODE));
        VmxCode.write(
                v,
                2,
                Vmcs.EXCEPTION_BITMAP,
                vmcs01.get(Vmcs.EXCEPTION_BITMAP) | vmcs12.get(Vmcs.EXCEPTION_BITMAP));
        VmxCode.write(v, 2, Vmcs.ENTRY_INTERRUPT_INFO, vmcs12.get(Vmcs.ENTRY_INTERRUPT_INFO));
        if (policy.mechanisms().xss().known()) {
            boolean xsaves = (secondary12 & Vmcs.ENABLE_XSAVES) != 0;
            long xss12 = xsaves ? vmcs12.get(Vmcs.XSS_EXIT_BITMAP) : 0;
            VmxCode.write(v, 2, Vmcs.XSS_EXIT_BITMAP, vmcs01.get(Vmcs.XSS_EXIT_BITMAP) | xss12);
        }
        addresses(v, vmcs01);
        controlRegisters(v, vmcs01, vmcs12);
        long efer = efer(vmcs12, v.state().register(Reg.EFER));
        VmxCode.write(v, 2, Vmcs.GUEST_EFER, efer);
        VmxCode.switchEfer(v, efer);
        v.emit(new RegistersChanged(guestRegisters(v)));
    }

    /// L2 is kept from the bits that L1 is kept from, and finds the value that L1 left (RFC v3, patch 03).
    private void specCtrl02(Vcpu v, long tertiary01) {
        if (!shadowsSpecCtrl) {
            VmxCode.write(v, 2, Vmcs.TERTIARY, tertiary01);
            return;
        }
        VmxCode.write(v, 2, Vmcs.SPEC_CTRL_MASK, v.state().kvm(Kvm.FORCE_MASK));
        VmxCode.write(v, 2, Vmcs.TERTIARY, tertiary01 & Vmcs.VIRTUALIZE_SPEC_CTRL);
        VmxCode.write(v, 2, Vmcs.SPEC_CTRL_SHADOW, v.state().kvm(Kvm.SPEC_CTRL_SHADOW));
    }

    /// Whether entry takes a guest field from vmcs12: some only with a control.
    private static boolean loaded(Field field, Image vmcs12) {
        return (!field.equals(Vmcs.GUEST_PAT)
                        || vmcs12.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_PAT))
                && ((!field.equals(Vmcs.GUEST_DR7) && !field.equals(Vmcs.GUEST_DEBUGCTL))
                        || vmcs12.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_DEBUG))
                && (!isCet(field) || vmcs12.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_CET));
    }

    private static boolean isCet(Field field) {
        return field.equals(Vmcs.GUEST_S_CET)
                || field.equals(Vmcs.GUEST_SSP)
                || field.equals(Vmcs.GUEST_SSP_TABLE);
    }

    /// Whether exit stores a guest field into vmcs12: the same, with controls of their own.
    private static boolean saved(Field field, Image vmcs12) {
        return (!field.equals(Vmcs.GUEST_PAT) || vmcs12.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_SAVE_PAT))
                && (!field.equals(Vmcs.GUEST_EFER)
                        || vmcs12.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_SAVE_EFER))
                && ((!field.equals(Vmcs.GUEST_DR7) && !field.equals(Vmcs.GUEST_DEBUGCTL))
                        || vmcs12.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_SAVE_DEBUG));
    }

    /// L2's EFER (`nested_vmx_calc_efer`): vmcs12's where it is loaded, else L1's, in the mode of the entry.
    private static long efer(Image vmcs12, long efer01) {
        if (vmcs12.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_EFER)) {
            return vmcs12.get(Vmcs.GUEST_EFER);
        }
        return vmcs12.has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_IA32E_MODE)
                ? efer01 | EFER_LONG_MODE
                : efer01 & ~EFER_LONG_MODE;
    }

    private static void addresses(Vcpu v, Image vmcs01) {
        VmxCode.write(v, 2, Vmcs.MSR_BITMAP, HostValues.page(v.id(), BITMAP_PAGE_02));
        VmxCode.write(v, 2, Vmcs.EPT_POINTER, HostValues.page(v.id(), EPT_PAGE_02) | EPT_FLAGS);
        VmxCode.write(v, 2, Vmcs.VPID, vmcs01.get(Vmcs.VPID) | VPID_02);
        VmxCode.write(v, 2, Vmcs.VIRTUAL_APIC_PAGE, vmcs01.get(Vmcs.VIRTUAL_APIC_PAGE));
        VmxCode.write(v, 2, Vmcs.TSC_MULTIPLIER, vmcs01.get(Vmcs.TSC_MULTIPLIER));
        VmxCode.write(v, 2, Vmcs.PLE_GAP, vmcs01.get(Vmcs.PLE_GAP));
        VmxCode.write(v, 2, Vmcs.PLE_WINDOW, vmcs01.get(Vmcs.PLE_WINDOW));
    }

    /// Masks of both; shadows of what L2 would read under L1 alone.
    private static void controlRegisters(Vcpu v, Image vmcs01, Image vmcs12) {
        VmxCode.write(v, 2, Vmcs.CR0_MASK, vmcs01.get(Vmcs.CR0_MASK) | vmcs12.get(Vmcs.CR0_MASK));
        VmxCode.write(v, 2, Vmcs.CR4_MASK, vmcs01.get(Vmcs.CR4_MASK) | vmcs12.get(Vmcs.CR4_MASK));
        VmxCode.write(
                v,
                2,
                Vmcs.CR0_SHADOW,
                seen(vmcs12, Vmcs.GUEST_CR0, Vmcs.CR0_MASK, Vmcs.CR0_SHADOW));
        VmxCode.write(
                v,
                2,
                Vmcs.CR4_SHADOW,
                seen(vmcs12, Vmcs.GUEST_CR4, Vmcs.CR4_MASK, Vmcs.CR4_SHADOW));
    }

    private static long seen(Image vmcs12, Field register, Field mask, Field shadow) {
        long owned = vmcs12.get(mask);
        return (vmcs12.get(register) & ~owned) | (vmcs12.get(shadow) & owned);
    }

    /// The registers that L2 starts with, as far as they differ from L1's.
    private Writes guestRegisters(Vcpu v) {
        Image vmcs02 = v.state().image(2);
        writes.on(v.state(), vmcs02);
        for (Field field : Layout.VMCS.fields()) {
            Reg register = REGISTERS.register(field);
            if (register != null && field.area() == Field.Area.GUEST) {
                writes.bareRegister(register, vmcs02.get(field));
            }
        }
        writes.bareRegister(Reg.CR0, v.state().image(2).get(Vmcs.CR0_SHADOW));
        writes.bareRegister(Reg.CR4, v.state().image(2).get(Vmcs.CR4_SHADOW));
        return writes.done();
    }

    /// FACTS 1.9: a listed MSR is passed through only if 01 and 12 both do; all others stay intercepted.
    private boolean mergeBitmaps(Vcpu v) {
        Image vmcs12 = v.state().image(12);
        if (!vmcs12.has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)
                || !v.state().image(1).has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)) {
            return false;
        }
        Policy.VmxMerge rule = policy.merge().vmx();
        MsrBitmap map01 = v.state().bitmap(1);
        MsrBitmap map12 = v.state().bitmap(12);
        MsrBitmap map02 = v.state().bitmap(2);
        for (MergeEntry entry : rule.entries()) {
            int msr = entry.access().msr();
            if (entry.ifPassed() && map01.exits(msr, true)) {
                continue;
            }
            boolean read = map02.exits(msr, false);
            boolean write = map02.exits(msr, true);
            if (entry.access().read()) {
                read = merged(rule, read, map01.exits(msr, false), map12.exits(msr, false));
            }
            if (entry.access().write()) {
                write = merged(rule, write, map01.exits(msr, true), map12.exits(msr, true));
            }
            if (read != map02.exits(msr, false) || write != map02.exits(msr, true)) {
                v.emit(new MsrInterceptChanged(2, msr, read, write));
            }
        }
        return true;
    }

    private static boolean merged(Policy.VmxMerge rule, boolean in02, boolean in01, boolean in12) {
        return rule.clearOnly() ? in02 && in12 : in01 || in12;
    }

    /// `nested_vmx_l1_wants_exit`.
    boolean wantedByL1(Exit exit, Vcpu v) {
        Image vmcs12 = v.state().image(12);
        return switch (exit) {
            case Exit.Rdmsr e -> msrWanted(v, vmcs12, e.msr(), false);
            case Exit.Wrmsr e -> msrWanted(v, vmcs12, e.msr(), true);
            case Exit.Hlt _ -> vmcs12.has(Vmcs.PRIMARY, Vmcs.HLT_EXITING);
            case Exit.Io _ -> vmcs12.has(Vmcs.PRIMARY, Vmcs.UNCONDITIONAL_IO);
            case Exit.CrWrite e -> controlRegisterWanted(e, vmcs12);
            case Exit.DrWrite _ -> vmcs12.has(Vmcs.PRIMARY, Vmcs.MOV_DR_EXITING);
            case Exit.Pause _ ->
                    vmcs12.has(Vmcs.PRIMARY, Vmcs.PAUSE_EXITING)
                            || (vmcs12.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_SECONDARY)
                                    && vmcs12.has(Vmcs.SECONDARY, Vmcs.PAUSE_LOOP_EXITING));
            case Exit.UndefinedOpcode _ -> vmcs12.has(Vmcs.EXCEPTION_BITMAP, 1 << Vmcs.UD_VECTOR);
            case Exit.MoveState e ->
                    (e.mask() & v.state().kvm(Kvm.XSS) & vmcs12.get(Vmcs.XSS_EXIT_BITMAP)) != 0;
            case Exit.NestedPageFault _, Exit.ExternalInterrupt _ -> false;
            case Exit.Cpuid _,
                    Exit.ApicAccess _,
                    Exit.Hypercall _,
                    Exit.Xsetbv _,
                    Exit.VmOp _,
                    Exit.EnterNested _,
                    Exit.Invpcid _,
                    Exit.Invlpg _,
                    Exit.OnlyNested _ ->
                    true;
        };
    }

    private static boolean msrWanted(Vcpu v, Image vmcs12, int msr, boolean write) {
        return !vmcs12.has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)
                || v.state().bitmap(12).exits(msr, write);
    }

    private static boolean controlRegisterWanted(Exit.CrWrite e, Image vmcs12) {
        return switch (e.cr()) {
            case 0 -> ((e.value() ^ vmcs12.get(Vmcs.CR0_SHADOW)) & vmcs12.get(Vmcs.CR0_MASK)) != 0;
            case 3 -> vmcs12.has(Vmcs.PRIMARY, Vmcs.CR3_LOAD_EXITING);
            case 4 -> ((e.value() ^ vmcs12.get(Vmcs.CR4_SHADOW)) & vmcs12.get(Vmcs.CR4_MASK)) != 0;
            default -> vmcs12.has(Vmcs.PRIMARY, Vmcs.CR8_LOAD_EXITING);
        };
    }

    /// The exit that vmcs02 holds becomes L1's.
    void exitToL1(Vcpu v) {
        Image vmcs02 = v.state().image(2);
        exitToL1(v, vmcs02.get(Vmcs.EXIT_REASON), vmcs02.get(Vmcs.EXIT_QUALIFICATION), true);
    }

    private void exitToL1(Vcpu v, long reason, long qualification, boolean ran) {
        Image vmcs02 = v.state().image(2);
        if (ran) {
            Image vmcs12 = v.state().image(12);
            long cr0 = actual(vmcs02, vmcs12, Vmcs.GUEST_CR0, Vmcs.CR0_MASK, Vmcs.CR0_SHADOW);
            long cr4 = actual(vmcs02, vmcs12, Vmcs.GUEST_CR4, Vmcs.CR4_MASK, Vmcs.CR4_SHADOW);
            for (Field field : Layout.VMCS.fields()) {
                if (field.equals(Vmcs.GUEST_CR0)) {
                    VmxCode.write(v, 12, field, cr0);
                } else if (field.equals(Vmcs.GUEST_CR4)) {
                    VmxCode.write(v, 12, field, cr4);
                } else if (field.area() == Field.Area.GUEST
                        && !field.equals(Vmcs.LINK_POINTER)
                        && saved(field, vmcs12)) {
                    VmxCode.write(v, 12, field, vmcs02.get(field));
                }
            }
            VmxCode.write(v, 12, Vmcs.EXIT_INTERRUPT_INFO, vmcs02.get(Vmcs.EXIT_INTERRUPT_INFO));
            VmxCode.write(v, 12, Vmcs.EXIT_LENGTH, vmcs02.get(Vmcs.EXIT_LENGTH));
            VmxCode.write(v, 12, Vmcs.GUEST_PHYSICAL, vmcs02.get(Vmcs.GUEST_PHYSICAL));
        }
        VmxCode.write(v, 12, Vmcs.EXIT_REASON, reason);
        VmxCode.write(v, 12, Vmcs.EXIT_QUALIFICATION, qualification);
        v.emit(new NestedExited(reason, qualification));
        if (shadowsSpecCtrl) {
            VmxCode.write(v, 1, Vmcs.SPEC_CTRL_SHADOW, v.state().kvm(Kvm.SPEC_CTRL_SHADOW));
        }
        loadHostStateOf12(v, ran);
        if (ran && barrierAtExit(v)) {
            v.barrier();
        }
    }

    /// What L2's register really is (`vmcs12_guest_cr0`): its own bits, those that L1 owns, those that L0 does.
    private static long actual(
            Image vmcs02, Image vmcs12, Field register, Field mask, Field shadow) {
        long own = ~vmcs02.get(mask);
        long owned12 = vmcs12.get(mask);
        return (vmcs02.get(register) & own)
                | (vmcs12.get(register) & owned12)
                | (vmcs02.get(shadow) & ~(own | owned12));
    }

    /// L1 goes on where vmcs12's host state says (`load_vmcs12_host_state`), with interrupts on again at once.
    private void loadHostStateOf12(Vcpu v, boolean ran) {
        Image vmcs12 = v.state().image(12);
        long cr0 = vmcs12.get(Vmcs.HOST_CR0);
        long cr4 = vmcs12.get(Vmcs.HOST_CR4);
        VmxCode.write(v, 1, Vmcs.GUEST_RIP, vmcs12.get(Vmcs.HOST_RIP));
        VmxCode.write(v, 1, Vmcs.GUEST_RSP, vmcs12.get(Vmcs.HOST_RSP));
        VmxCode.write(v, 1, Vmcs.GUEST_RFLAGS, 2 | (1 << 9));
        VmxCode.write(v, 1, Vmcs.GUEST_CR0, cr0);
        VmxCode.write(v, 1, Vmcs.CR0_SHADOW, cr0);
        VmxCode.write(v, 1, Vmcs.GUEST_CR3, vmcs12.get(Vmcs.HOST_CR3));
        VmxCode.write(v, 1, Vmcs.GUEST_CR4, cr4 | CR4_VMXE);
        VmxCode.write(v, 1, Vmcs.CR4_SHADOW, cr4);
        VmxCode.write(v, 1, Vmcs.GUEST_FS_BASE, vmcs12.get(Vmcs.HOST_FS_BASE));
        VmxCode.write(v, 1, Vmcs.GUEST_GS_BASE, vmcs12.get(Vmcs.HOST_GS_BASE));
        if (v.machine().config().cet()) {
            cetStateOf12(v, ran);
        }
        Image vmcs01 = v.state().image(1);
        writes.on(v.state(), vmcs01);
        for (Field field : Layout.VMCS.fields()) {
            Reg register = REGISTERS.register(field);
            if (register != null && field.area() == Field.Area.GUEST) {
                writes.bareRegister(register, vmcs01.get(field));
            }
        }
        writes.bareRegister(Reg.CR0, cr0);
        writes.bareRegister(Reg.CR4, cr4);
        v.emit(new RegistersChanged(writes.done()));
    }

    /// L1's CET state: as vmcs12 has it for its host where that is loaded, else what L2 left behind.
    private static void cetStateOf12(Vcpu v, boolean ran) {
        Image vmcs12 = v.state().image(12);
        if (vmcs12.has(Vmcs.EXIT_CONTROLS, Vmcs.EXIT_LOAD_CET)) {
            VmxCode.write(v, 1, Vmcs.GUEST_S_CET, vmcs12.get(Vmcs.HOST_S_CET));
            VmxCode.write(v, 1, Vmcs.GUEST_SSP, vmcs12.get(Vmcs.HOST_SSP));
            VmxCode.write(v, 1, Vmcs.GUEST_SSP_TABLE, vmcs12.get(Vmcs.HOST_SSP_TABLE));
        } else if (ran) {
            Image vmcs02 = v.state().image(2);
            VmxCode.write(v, 1, Vmcs.GUEST_S_CET, vmcs02.get(Vmcs.GUEST_S_CET));
            VmxCode.write(v, 1, Vmcs.GUEST_SSP, vmcs02.get(Vmcs.GUEST_SSP));
            VmxCode.write(v, 1, Vmcs.GUEST_SSP_TABLE, vmcs02.get(Vmcs.GUEST_SSP_TABLE));
        }
    }

    private boolean barrierAtExit(Vcpu v) {
        return switch (policy.ibpb().nestedExit()) {
            case NONE -> false;
            case VMX_IF_GUEST_HAS_SPEC_CTRL -> v.setup().model().has("SPEC_CTRL");
            case IF_GUEST_HAS_IBRS ->
                    (v.setup().model().has("SPEC_CTRL") || v.setup().model().has("AMD_IBRS"))
                            && !v.setup().platform().has("AMD_IBRS_SAME_MODE");
        };
    }
}
