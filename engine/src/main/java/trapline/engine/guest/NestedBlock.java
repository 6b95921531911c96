package trapline.engine.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.InitialRegisters;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.Reg;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// What an L1 hypervisor does around its L2: the ops that set it up, enter it and go on after an exit.
///
/// L1 is as simple as the manuals let it be: no EPT or NPT of its own, no VPID, L2 in 64-bit mode.
///
/// @param intercepts what L1 asks to get besides what it must
/// @param fields fields of its VMCS or VMCB that the scenario sets itself
record NestedBlock(Vendor vendor, Intercepts intercepts, Map<String, Long> fields, long rip) {

    /// @param reads MSRs whose RDMSR L1 intercepts
    /// @param writes MSRs whose WRMSR L1 intercepts
    /// @param bitmap whether it lets any MSR through at all
    record Intercepts(
            List<Integer> reads,
            List<Integer> writes,
            boolean hlt,
            boolean cpuid,
            boolean io,
            boolean bitmap) {}

    private static final long VMXON_PAGE = 0x10_0000;
    private static final long VMCS12_PAGE = 0x10_1000;
    private static final long BITMAP_PAGE = 0x10_2000;
    private static final long VMCB12_PAGE = 0x10_4000;
    private static final long HSAVE_PAGE = 0x10_8000;
    private static final long CR4_VMXE = 1 << 13;
    private static final long EFER_SVME = 1 << 12;
    private static final long HANDLER = 0xffff_ffff_8180_0000L;
    private static final long L2_RIP = 0xffff_ffff_8200_0000L;

    /// The first nested block of a vCPU: what makes a guest a hypervisor.
    List<GuestOp> setUp() {
        return vendor == Vendor.VMX ? setUpVmx() : setUpSvm();
    }

    private List<GuestOp> setUpVmx() {
        List<GuestOp> ops = new ArrayList<>();
        long cr4 = InitialRegisters.of(vendor).get(Reg.CR4) | CR4_VMXE;
        ops.add(new GuestOp.MovToCr(rip, 4, cr4));
        ops.add(new GuestOp.VmOp(rip, VmInstruction.VMXON, VMXON_PAGE, 0));
        ops.add(new GuestOp.VmOp(rip, VmInstruction.VMCLEAR, VMCS12_PAGE, 0));
        ops.add(new GuestOp.VmOp(rip, VmInstruction.VMPTRLD, VMCS12_PAGE, 0));
        vmwrite(ops, Vmcs.MSR_BITMAP, BITMAP_PAGE);
        vmwrite(ops, Vmcs.LINK_POINTER, -1);
        vmwrite(ops, Vmcs.PIN_BASED, 0x16);
        vmwrite(ops, Vmcs.EXIT_CONTROLS, 0x3_6dfb | Vmcs.EXIT_HOST_64);
        vmwrite(ops, Vmcs.ENTRY_CONTROLS, 0x11fb | Vmcs.ENTRY_IA32E_MODE);
        for (Field field : Layout.VMCS.fields()) {
            Reg register = RegisterMap.of(vendor).register(field);
            Long value = InitialRegisters.of(vendor).get(register);
            if (register != null && value != null && register != Reg.RIP) {
                vmwrite(ops, field, value);
            }
        }
        vmwrite(ops, Vmcs.GUEST_CR0, InitialRegisters.of(vendor).get(Reg.CR0));
        vmwrite(ops, Vmcs.GUEST_CR4, cr4);
        vmwrite(ops, Vmcs.HOST_CR0, InitialRegisters.of(vendor).get(Reg.CR0));
        vmwrite(ops, Vmcs.HOST_CR3, InitialRegisters.of(vendor).get(Reg.CR3));
        vmwrite(ops, Vmcs.HOST_CR4, cr4);
        vmwrite(ops, Vmcs.HOST_CS_SELECTOR, 0x10);
        vmwrite(ops, Vmcs.HOST_TR_SELECTOR, 0x40);
        vmwrite(ops, Vmcs.HOST_RIP, HANDLER);
        vmwrite(ops, Vmcs.HOST_RSP, InitialRegisters.of(vendor).get(Reg.RSP));
        return ops;
    }

    private List<GuestOp> setUpSvm() {
        List<GuestOp> ops = new ArrayList<>();
        long efer = InitialRegisters.of(vendor).get(Reg.EFER) | EFER_SVME;
        ops.add(new GuestOp.Wrmsr(rip, Msrs.EFER, efer));
        ops.add(new GuestOp.Wrmsr(rip, Msrs.VM_HSAVE_PA, HSAVE_PAGE));
        for (Field field : Layout.VMCB.fields()) {
            Reg register = RegisterMap.of(vendor).register(field);
            Long value = InitialRegisters.of(vendor).get(register);
            if (register != null && value != null && !field.vmload() && register != Reg.RIP) {
                store(ops, field, value);
            }
        }
        store(ops, Vmcb.CR0, InitialRegisters.of(vendor).get(Reg.CR0));
        store(ops, Vmcb.EFER, efer);
        store(ops, Vmcb.ASID, 1);
        store(ops, Vmcb.MSRPM, BITMAP_PAGE);
        return ops;
    }

    /// This block's own choices, then the entry.
    List<GuestOp> enter(boolean first) {
        List<GuestOp> ops = new ArrayList<>();
        if (vendor == Vendor.VMX) {
            vmxChoices(ops);
        } else {
            svmChoices(ops);
        }
        boolean everything = !intercepts.bitmap() && vendor == Vendor.SVM;
        ops.add(new GuestOp.StoreNestedBitmap(rip, NestedBitmapStored.ALL, everything, everything));
        if (!everything) {
            for (int msr : intercepts.reads()) {
                storeBits(ops, msr, true, intercepts.writes().contains(msr));
            }
            for (int msr : intercepts.writes()) {
                storeBits(ops, msr, intercepts.reads().contains(msr), true);
            }
        }
        goTo(ops, L2_RIP);
        fields.forEach((name, value) -> {
            Field field = vendor.layout().named(name);
            if (vendor == Vendor.VMX) {
                vmwrite(ops, field, value);
            } else {
                store(ops, field, value);
            }
        });
        ops.add(entry(first));
        return ops;
    }

    private void vmxChoices(List<GuestOp> ops) {
        long primary = 0x0400_6172;
        primary |= intercepts.bitmap() ? Vmcs.USE_MSR_BITMAPS : 0;
        primary |= intercepts.hlt() ? Vmcs.HLT_EXITING : 0;
        primary |= intercepts.io() ? Vmcs.UNCONDITIONAL_IO : 0;
        vmwrite(ops, Vmcs.PRIMARY, primary);
    }

    private void svmChoices(List<GuestOp> ops) {
        long[] words = new long[6];
        set(words, "INTERCEPT_VMRUN", true);
        set(words, "INTERCEPT_VMMCALL", true);
        set(words, "INTERCEPT_MSR_PROT", true);
        set(words, "INTERCEPT_HLT", intercepts.hlt());
        set(words, "INTERCEPT_CPUID", intercepts.cpuid());
        set(words, "INTERCEPT_IOIO_PROT", intercepts.io());
        for (int i = 0; i < words.length; i++) {
            store(ops, Layout.VMCB.field(4 * i), words[i]);
        }
    }

    private static void set(long[] words, String name, boolean on) {
        Bits.Intercept intercept = Bits.intercept(name);
        words[intercept.offset() / 4] |= on ? intercept.mask() : 0;
    }

    /// After an exit that L1 got: it looks why, passes over the instruction and resumes L2.
    List<GuestOp> resume(GuestOp exited) {
        List<GuestOp> ops = new ArrayList<>();
        if (vendor == Vendor.VMX) {
            ops.add(new GuestOp.VmOp(HANDLER, VmInstruction.VMREAD, Vmcs.EXIT_REASON.id(), 0));
        }
        goTo(ops, exited.rip() + exited.length());
        ops.add(entry(false));
        return ops;
    }

    private GuestOp entry(boolean first) {
        EntryInstruction vmx = first ? EntryInstruction.VMLAUNCH : EntryInstruction.VMRESUME;
        return vendor == Vendor.VMX
                ? new GuestOp.EnterNested(rip, vmx, VMCS12_PAGE)
                : new GuestOp.EnterNested(rip, EntryInstruction.VMRUN, VMCB12_PAGE);
    }

    private void goTo(List<GuestOp> ops, long address) {
        if (vendor == Vendor.VMX) {
            vmwrite(ops, Vmcs.GUEST_RIP, address);
        } else {
            store(ops, Vmcb.RIP, address);
        }
    }

    /// An MSR outside the bitmap's ranges has no bits: L1 gets it whatever it asks for.
    private void storeBits(List<GuestOp> ops, int msr, boolean read, boolean write) {
        if (vendor.bitmap().bit(msr, false) >= 0) {
            ops.add(new GuestOp.StoreNestedBitmap(rip, msr, read, write));
        }
    }

    private void vmwrite(List<GuestOp> ops, Field field, long value) {
        ops.add(new GuestOp.VmOp(rip, VmInstruction.VMWRITE, field.id(), value));
    }

    private void store(List<GuestOp> ops, Field field, long value) {
        ops.add(new GuestOp.StoreNestedField(rip, field.id(), value));
    }
}
