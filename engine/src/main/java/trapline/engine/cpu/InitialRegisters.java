package trapline.engine.cpu;

import java.util.EnumMap;
import java.util.Map;
import trapline.engine.event.Reg;
import trapline.engine.state.Vendor;

/// The registers that userspace gives a new vCPU (KVM_SET_SREGS, KVM_SET_REGS): 64-bit mode, paging, CPL 0.
///
/// Segment attributes are in each vendor's own format.
public final class InitialRegisters {

    // spotless:off
    private static final long CR0 = 0x8005_0033L;
    private static final long CR3 = 0x1000L;
    private static final long CR4 = 0x4_06a0L;
    private static final long EFER = 0xd01L;
    private static final long PAT = 0x0007_0406_0007_0406L;
    private static final long RIP = 0xffff_ffff_8100_0000L;
    private static final long RSP = 0xffff_ffff_8280_3f00L;
    // spotless:on

    private InitialRegisters() {}

    public static Map<Reg, Long> of(Vendor vendor) {
        Map<Reg, Long> registers = new EnumMap<>(Reg.class);
        registers.put(Reg.RIP, RIP);
        registers.put(Reg.RSP, RSP);
        registers.put(Reg.RFLAGS, 0x202L);
        registers.put(Reg.CR0, CR0);
        registers.put(Reg.CR3, CR3);
        registers.put(Reg.CR4, CR4);
        registers.put(Reg.XCR0, 1L);
        registers.put(Reg.DR6, 0xffff_0ff0L);
        registers.put(Reg.DR7, 0x400L);
        registers.put(Reg.EFER, EFER);
        registers.put(Reg.PAT, PAT);
        boolean vmx = vendor == Vendor.VMX;
        segment(registers, "CS", 0x10, vmx ? 0xa09b : 0xa9b);
        for (String data : new String[] {"ES", "SS", "DS", "FS", "GS"}) {
            segment(registers, data, 0x18, vmx ? 0xc093 : 0xc93);
        }
        segment(registers, "LDTR", 0, vmx ? 0x1_0082 : 0x82);
        segment(registers, "TR", 0x40, 0x8b);
        registers.put(Reg.TR_LIMIT, 0x67L);
        registers.put(Reg.GDTR_LIMIT, 0x7fL);
        registers.put(Reg.GDTR_BASE, 0xffff_fe00_0000_1000L);
        registers.put(Reg.IDTR_LIMIT, 0xfffL);
        registers.put(Reg.IDTR_BASE, 0xffff_fe00_0000_0000L);
        return registers;
    }

    /// @param xcr0 what an operating system puts into XCR0 that uses all there is
    public static Map<Reg, Long> of(Vendor vendor, long xcr0) {
        Map<Reg, Long> registers = of(vendor);
        registers.put(Reg.XCR0, xcr0);
        return registers;
    }

    private static void segment(
            Map<Reg, Long> registers, String name, long selector, long attributes) {
        registers.put(Reg.valueOf(name + "_SELECTOR"), selector);
        registers.put(Reg.valueOf(name + "_ATTRIBUTES"), attributes);
        registers.put(Reg.valueOf(name + "_LIMIT"), 0xffff_ffffL);
    }
}
