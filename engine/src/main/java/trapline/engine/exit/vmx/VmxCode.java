package trapline.engine.exit.vmx;

import java.util.List;
import java.util.Map;
import trapline.engine.Check;
import trapline.engine.cpu.ControlRegisters;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.InitialRegisters;
import trapline.engine.cpu.WritesBuilder;
import trapline.engine.cpu.vmx.AllowedControls;
import trapline.engine.cpu.vmx.EntryChecks;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.exit.HostValues;
import trapline.engine.exit.Vcpu;
import trapline.engine.exit.VendorCode;
import trapline.engine.policy.MitigationMsrs;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Access;
import trapline.engine.policy.Policy.Phases;
import trapline.engine.policy.Policy.VmxControls;
import trapline.engine.policy.SpecCtrlForce;
import trapline.engine.policy.SpecCtrlForce.By;
import trapline.engine.policy.Step;
import trapline.engine.policy.Xss;
import trapline.engine.state.Image;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// KVM on Intel: `vmx.c`.
public final class VmxCode implements VendorCode {

    private static final int BITMAP_PAGE = 1;
    private static final int APIC_PAGE = 3;
    private static final int EPT_PAGE = 5;
    private static final long EPT_FLAGS = 0x1e;
    private static final long APIC_ACCESS_PAGE = 0xfee0_0000L;
    private static final long PLE_GAP = 128;
    private static final long PLE_WINDOW = 4096;
    private static final long CR0_NE = 1 << 5;

    /// NW and CD, which the hardware never runs with (`KVM_VM_CR0_ALWAYS_OFF`).
    private static final long CR0_NO_CACHE = 3 << 29;

    private static final long CR4_VMXE = 1 << 13;
    private static final long EFER_LMA = 1 << 10;
    private static final long ERROR_CODE_VALID = 1 << 11;
    private static final int GP = 13;

    private static final RegisterMap REGISTERS = RegisterMap.of(Vendor.VMX);

    private final Policy policy;
    private final AllowedControls allowed;
    private final SpecCtrlForce specCtrlForce;
    private final NestedVmx nested;
    private final WritesBuilder writes = new WritesBuilder();

    public VmxCode(Policy policy, AllowedControls allowed, EntryChecks checks) {
        this.policy = policy;
        this.allowed = allowed;
        specCtrlForce = specCtrlForce(policy.mechanisms().specCtrlForce(), allowed);
        nested = new NestedVmx(policy, checks, shadowsSpecCtrl());
    }

    /// A processor without the control shadows nothing (`cpu_has_spec_ctrl_shadow` of the RFC).
    private static SpecCtrlForce specCtrlForce(SpecCtrlForce wanted, AllowedControls allowed) {
        boolean has =
                allowed.adjust(Vmcs.PRIMARY, Vmcs.ACTIVATE_TERTIARY)
                                == allowed.adjust(Vmcs.PRIMARY, 0) + Vmcs.ACTIVATE_TERTIARY
                        && allowed.adjust(Vmcs.TERTIARY, Vmcs.VIRTUALIZE_SPEC_CTRL) != 0;
        return wanted.by() == By.SHADOW && !has ? SpecCtrlForce.NONE : wanted;
    }

    private boolean shadowsSpecCtrl() {
        return specCtrlForce.by() == By.SHADOW;
    }

    @Override
    public Phases phases() {
        return policy.vendors().vmx().phases();
    }

    @Override
    public List<Access> passThrough() {
        return policy.vendors().vmx().passThrough();
    }

    /// Writes a field, if that changes it.
    static void write(Vcpu v, int structure, Field field, long value) {
        Image vmcs = v.state().image(structure);
        long old = vmcs.get(field);
        long kept = value & field.mask();
        if (old != kept) {
            v.emit(new VmcsFieldWritten(structure, field.id(), old, kept));
        }
    }

    private static void writeCurrent(Vcpu v, Field field, long value) {
        write(v, v.state().currentStructure(), field, value);
    }

    @Override
    public void create(Vcpu v) {
        controls(v);
        v.set(Kvm.FORCE_MASK, v.machine().vm().forceMask());
        v.set(Kvm.FORCE_VALUE, v.machine().vm().forceValue());
        if (shadowsSpecCtrl()) {
            writeSpecCtrlMask(v, v.state().kvm(Kvm.FORCE_MASK));
        }
        write(v, 1, Vmcs.LINK_POINTER, -1);
        write(v, 1, Vmcs.MSR_BITMAP, HostValues.page(v.id(), BITMAP_PAGE));
        write(v, 1, Vmcs.VIRTUAL_APIC_PAGE, HostValues.page(v.id(), APIC_PAGE));
        write(v, 1, Vmcs.APIC_ACCESS_ADDRESS, APIC_ACCESS_PAGE);
        write(v, 1, Vmcs.EPT_POINTER, HostValues.page(0, EPT_PAGE) | EPT_FLAGS);
        write(v, 1, Vmcs.VPID, v.id() + 1);
        write(v, 1, Vmcs.PLE_GAP, PLE_GAP);
        write(v, 1, Vmcs.PLE_WINDOW, PLE_WINDOW);
        write(v, 1, Vmcs.TSC_MULTIPLIER, 1L << 48);
        write(v, 1, Vmcs.XSS_EXIT_BITMAP, xssExiting(v));
        hostState(v);
        registers(v);
    }

    /// Components that a guest may have although nothing keeps them apart: each access exits.
    private long xssExiting(Vcpu v) {
        Xss rule = policy.mechanisms().xss();
        return rule.exiting()
                & ~rule.supported()
                & v.setup().platform().extendedStates().supervisor();
    }

    private void controls(Vcpu v) {
        VmxControls choice = policy.vendors().vmx().controls();
        write(v, 1, Vmcs.PIN_BASED, adjusted(Vmcs.PIN_BASED, choice.always().get("pin")));
        long primary = mask(choice.always().get("primary"));
        primary |= shadowsSpecCtrl() ? Vmcs.ACTIVATE_TERTIARY : 0;
        write(v, 1, Vmcs.PRIMARY, allowed.adjust(Vmcs.PRIMARY, primary));
        long secondary = mask(choice.always().get("secondary"));
        for (Map.Entry<String, List<String>> control : choice.ifGuest().entrySet()) {
            boolean shown = v.setup().model().hasAll(control.getValue());
            secondary |= shown ? Bits.control(control.getKey()) : 0;
        }
        for (Map.Entry<String, List<String>> control : choice.unlessGuest().entrySet()) {
            boolean shown = v.setup().model().hasAll(control.getValue());
            secondary |= shown ? 0 : Bits.control(control.getKey());
        }
        boolean traces = v.setup().traces();
        secondary |= traces ? Vmcs.PT_USE_GPA | Vmcs.PT_CONCEAL_VMX : 0;
        write(v, 1, Vmcs.SECONDARY, allowed.adjust(Vmcs.SECONDARY, secondary));
        long tertiary = mask(choice.always().get("tertiary"));
        tertiary |= shadowsSpecCtrl() ? Vmcs.VIRTUALIZE_SPEC_CTRL : 0;
        write(v, 1, Vmcs.TERTIARY, allowed.adjust(Vmcs.TERTIARY, tertiary));
        long exit = mask(choice.always().get("exit"));
        exit |= traces ? Vmcs.EXIT_PT_CONCEAL_PIP | Vmcs.EXIT_CLEAR_RTIT_CTL : 0;
        write(v, 1, Vmcs.EXIT_CONTROLS, allowed.adjust(Vmcs.EXIT_CONTROLS, exit));
        long entry = mask(choice.always().get("entry")) | Vmcs.ENTRY_IA32E_MODE;
        entry |= traces ? Vmcs.ENTRY_PT_CONCEAL_PIP | Vmcs.ENTRY_LOAD_RTIT_CTL : 0;
        write(v, 1, Vmcs.ENTRY_CONTROLS, allowed.adjust(Vmcs.ENTRY_CONTROLS, entry));
        long exceptions = 0;
        for (int vector : choice.exceptions()) {
            exceptions |= 1L << vector;
        }
        write(v, 1, Vmcs.EXCEPTION_BITMAP, exceptions);
        write(v, 1, Vmcs.CR0_MASK, ~choice.cr0GuestOwned());
        write(v, 1, Vmcs.CR4_MASK, ~choice.cr4GuestOwned() | cr4Reserved(v, choice));
    }

    private static long cr4Reserved(Vcpu v, VmxControls choice) {
        return choice.cr4OwnedIfReserved()
                ? ControlRegisters.cr4Reserved(v.setup().model()::has)
                : 0;
    }

    private long adjusted(Field field, List<String> names) {
        return allowed.adjust(field, mask(names));
    }

    private static long mask(List<String> names) {
        long mask = 0;
        for (String name : names) {
            mask |= Bits.control(name);
        }
        return mask;
    }

    private static void hostState(Vcpu v) {
        write(v, 1, Vmcs.HOST_CR0, HostValues.CR0);
        write(v, 1, Vmcs.HOST_CR3, HostValues.CR3);
        write(v, 1, Vmcs.HOST_CR4, HostValues.CR4);
        write(v, 1, Vmcs.HOST_EFER, HostValues.EFER);
        write(v, 1, Vmcs.HOST_PAT, HostValues.PAT);
        write(v, 1, Vmcs.HOST_RIP, HostValues.RIP);
        write(v, 1, Vmcs.HOST_RSP, HostValues.RSP);
        write(v, 1, Vmcs.HOST_CS_SELECTOR, 0x10);
        write(v, 1, Layout.VMCS.named("HOST_SS_SELECTOR"), 0x18);
        write(v, 1, Vmcs.HOST_TR_SELECTOR, HostValues.TR_SELECTOR);
        write(v, 1, Layout.VMCS.named("HOST_IDTR_BASE"), HostValues.IDTR_BASE);
        write(v, 1, Layout.VMCS.named("HOST_IA32_SYSENTER_CS"), 0x10);
        write(v, 1, Layout.VMCS.named("HOST_IA32_SYSENTER_EIP"), HostValues.SYSENTER_EIP);
        if (v.machine().config().cet()) {
            write(v, 1, Vmcs.HOST_S_CET, v.setup().platform().extendedStates().hostSCet());
        }
    }

    /// Userspace's registers: those with a field into it, the others where KVM keeps them.
    private void registers(Vcpu v) {
        Map<Reg, Long> initial = InitialRegisters.of(Vendor.VMX, v.setup().supervisor().hostXcr0());
        writes.on(v.state(), v.state().image(1));
        for (Map.Entry<Reg, Long> register : initial.entrySet()) {
            Field field = REGISTERS.field(register.getKey());
            if (field == null) {
                writes.register(register.getKey(), register.getValue());
            }
        }
        v.emit(new RegistersChanged(writes.done()));
        for (Map.Entry<Reg, Long> register : initial.entrySet()) {
            Field field = REGISTERS.field(register.getKey());
            if (field != null) {
                write(v, 1, field, register.getValue());
            }
        }
        storeControlRegister(v, 0, v.state().register(Reg.CR0));
        storeControlRegister(v, 4, v.state().register(Reg.CR4));
    }

    @Override
    public void loadedElsewhere(Vcpu v) {
        long area = HostValues.gsBase(v.state().pcpu());
        for (int structure = 1; structure <= v.state().level(); structure++) {
            write(v, structure, Vmcs.HOST_GS_BASE, area);
            write(
                    v,
                    structure,
                    Layout.VMCS.named("HOST_TR_BASE"),
                    HostValues.trBase(v.state().pcpu()));
            write(v, structure, Layout.VMCS.named("HOST_GDTR_BASE"), area + 0x1000);
            write(v, structure, Layout.VMCS.named("HOST_IA32_SYSENTER_ESP"), area + 0x3200);
        }
    }

    @Override
    public void run(Step step, Vcpu v) {
        switch (step) {
            case WRITE_DIRTY_REGISTERS -> {
                writeCurrent(v, Vmcs.GUEST_RSP, v.state().register(Reg.RSP));
                writeCurrent(v, Vmcs.GUEST_RIP, v.state().register(Reg.RIP));
            }
            case KERNEL_GS_BASE_LOAD ->
                    v.hostWrite(
                            Msrs.KERNEL_GS_BASE,
                            v.state().register(Reg.KERNEL_GS_BASE),
                            HostCause.LOAD);
            case KERNEL_GS_BASE_PUT -> {
                if (v.state().is(Kvm.GUEST_STATE_LOADED)) {
                    v.hostRead(Msrs.KERNEL_GS_BASE, HostCause.PUT);
                    v.hostWrite(Msrs.KERNEL_GS_BASE, HostValues.USER_GS_BASE, HostCause.PUT);
                }
            }
            default -> Check.that(false, "VMX has no step %s", step);
        }
    }

    @Override
    public void inject(Vcpu v, int vector, EventType type) {
        boolean exception = type == EventType.EXCEPTION;
        boolean errorCode = exception && vector == GP;
        v.emit(new EventInjected(vector, type, 0));
        long info = Vmcs.VALID | vector | (exception ? Vmcs.HARDWARE_EXCEPTION : 0);
        if (errorCode) {
            writeCurrent(v, Vmcs.ENTRY_ERROR_CODE, 0);
        }
        writeCurrent(v, Vmcs.ENTRY_INTERRUPT_INFO, info | (errorCode ? ERROR_CODE_VALID : 0));
    }

    @Override
    public boolean injecting(Vcpu v) {
        return v.state().current().has(Vmcs.ENTRY_INTERRUPT_INFO, Vmcs.VALID);
    }

    @Override
    public boolean writesExit(Vcpu v, int msr) {
        return !v.state().current().has(Vmcs.PRIMARY, Vmcs.USE_MSR_BITMAPS)
                || v.state().bitmap(v.state().currentStructure()).exits(msr, true);
    }

    @Override
    public void storeVirtualSpecCtrl(Vcpu v, long value) {
        Check.that(false, "VMX has no V_SPEC_CTRL");
    }

    @Override
    public void storeTraceControl(Vcpu v, long value) {
        write(v, 1, Vmcs.GUEST_RTIT_CTL, value);
    }

    @Override
    public SpecCtrlForce specCtrlForce() {
        return specCtrlForce;
    }

    @Override
    public void writeSpecCtrlShadow(Vcpu v, long value) {
        writeCurrent(v, Vmcs.SPEC_CTRL_SHADOW, value);
    }

    @Override
    public void readSpecCtrlShadow(Vcpu v) {
        v.emit(
                new VmcsFieldRead(
                        v.state().currentStructure(),
                        Vmcs.SPEC_CTRL_SHADOW.id(),
                        v.state().current().get(Vmcs.SPEC_CTRL_SHADOW)));
    }

    @Override
    public void writeSpecCtrlMask(Vcpu v, long mask) {
        for (int structure = 1; structure <= v.state().level(); structure++) {
            write(v, structure, Vmcs.SPEC_CTRL_MASK, mask);
        }
    }

    @Override
    public boolean emulatesVirtualMsrs() {
        return policy.mechanisms().mitigationMsrs().by() == MitigationMsrs.By.KERNEL;
    }

    @Override
    public void storeRegister(Vcpu v, int msr, Reg register, long value) {
        Field field = REGISTERS.field(register);
        if (field != null) {
            writeCurrent(v, field, value);
            if (register == Reg.EFER) {
                switchEfer(v, value);
            }
        } else if (register == Reg.KERNEL_GS_BASE && v.state().is(Kvm.GUEST_STATE_LOADED)) {
            v.hostWrite(msr, value, HostCause.GUEST_WRITE);
        }
    }

    /// The entry control follows LMA; EFER is switched by hardware while guest and host differ.
    static void switchEfer(Vcpu v, long value) {
        Image vmcs = v.state().current();
        boolean switched = value != HostValues.EFER;
        long entry =
                vmcs.get(Vmcs.ENTRY_CONTROLS) & ~(Vmcs.ENTRY_IA32E_MODE | Vmcs.ENTRY_LOAD_EFER);
        entry |= (value & EFER_LMA) != 0 ? Vmcs.ENTRY_IA32E_MODE : 0;
        writeCurrent(v, Vmcs.ENTRY_CONTROLS, entry | (switched ? Vmcs.ENTRY_LOAD_EFER : 0));
        long exit = vmcs.get(Vmcs.EXIT_CONTROLS) & ~Vmcs.EXIT_LOAD_EFER;
        writeCurrent(v, Vmcs.EXIT_CONTROLS, exit | (switched ? Vmcs.EXIT_LOAD_EFER : 0));
    }

    @Override
    public void storeControlRegister(Vcpu v, int cr, long value) {
        switch (cr) {
            case 0 -> {
                long actual = withoutL1s(v, value, Vmcs.GUEST_CR0, Vmcs.CR0_MASK);
                writeCurrent(v, Vmcs.CR0_SHADOW, value);
                writeCurrent(v, Vmcs.GUEST_CR0, (actual & ~CR0_NO_CACHE) | CR0_NE);
            }
            case 3 -> writeCurrent(v, Vmcs.GUEST_CR3, value);
            case 4 -> {
                long actual = withoutL1s(v, value, Vmcs.GUEST_CR4, Vmcs.CR4_MASK);
                writeCurrent(v, Vmcs.CR4_SHADOW, value);
                writeCurrent(v, Vmcs.GUEST_CR4, actual | CR4_VMXE);
            }
            default -> {}
        }
    }

    /// Bits that L1 owns do not change when L2 writes what it saw there anyway.
    private static long withoutL1s(Vcpu v, long value, Field register, Field mask) {
        Image vmcs12 = v.state().image(12);
        long owned = v.state().level() == 2 ? vmcs12.get(mask) : 0;
        return (value & ~owned) | (vmcs12.get(register) & owned);
    }

    @Override
    public void passDebugRegisters(Vcpu v) {
        Image vmcs = v.state().current();
        writeCurrent(v, Vmcs.PRIMARY, vmcs.get(Vmcs.PRIMARY) & ~Vmcs.MOV_DR_EXITING);
    }

    @Override
    public void interceptDebugRegisters(Vcpu v) {
        Image vmcs = v.state().current();
        if (!vmcs.has(Vmcs.PRIMARY, Vmcs.MOV_DR_EXITING)) {
            writeCurrent(v, Vmcs.PRIMARY, vmcs.get(Vmcs.PRIMARY) | Vmcs.MOV_DR_EXITING);
        }
    }

    @Override
    public void growPauseWindow(Vcpu v) {
        long window = v.state().current().get(Vmcs.PLE_WINDOW);
        writeCurrent(v, Vmcs.PLE_WINDOW, Math.min(2 * window, Vmcs.PLE_WINDOW.mask()));
    }

    @Override
    public boolean wantedByL1(Exit exit, GuestOp op, Vcpu v) {
        return nested.wantedByL1(exit, v);
    }

    @Override
    public void exitToL1(Vcpu v) {
        nested.exitToL1(v);
    }

    @Override
    public void enterL2(Vcpu v, GuestOp.EnterNested op) {
        nested.enterL2(v, op);
    }

    @Override
    public void mergeBitmaps(Vcpu v) {
        nested.merge(v);
    }

    @Override
    public Outcome execute(Vcpu v, GuestOp.VmOp op) {
        return nested.execute(v, op);
    }

    @Override
    public long read(Vcpu v, GuestOp.VmOp op) {
        return nested.read(v, op);
    }
}
