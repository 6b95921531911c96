package trapline.engine.cpu;

import trapline.engine.event.Reg;

/// The registers in which an instruction finds its operands (SDM vol. 2): what software sees after an exit.
public final class Operands {

    private Operands() {}

    public static void store(GuestOp op, WritesBuilder writes) {
        switch (op) {
            case GuestOp.Wrmsr o -> {
                writes.register(Reg.RCX, Integer.toUnsignedLong(o.msr()));
                pair(writes, o.value());
            }
            case GuestOp.Rdmsr o -> writes.register(Reg.RCX, Integer.toUnsignedLong(o.msr()));
            case GuestOp.Cpuid o -> {
                writes.register(Reg.RAX, Integer.toUnsignedLong(o.leaf()));
                writes.register(Reg.RCX, Integer.toUnsignedLong(o.subleaf()));
            }
            case GuestOp.Io o -> {
                writes.register(Reg.RDX, o.port());
                if (o.write()) {
                    writes.register(Reg.RAX, o.value());
                }
            }
            case GuestOp.Mmio o -> {
                writes.register(Reg.RBX, o.address());
                if (o.write()) {
                    writes.register(Reg.RAX, o.value());
                }
            }
            case GuestOp.Hypercall o -> writes.register(Reg.RAX, o.number());
            case GuestOp.MovToCr o -> writes.register(Reg.RAX, o.value());
            case GuestOp.MovToDr o -> writes.register(Reg.RAX, o.value());
            case GuestOp.Xsetbv o -> {
                writes.register(Reg.RCX, o.xcr());
                pair(writes, o.value());
            }
            case GuestOp.MoveState o -> pair(writes, o.mask());
            case GuestOp.VmOp o -> {
                writes.register(Reg.RAX, o.operand());
                writes.register(Reg.RCX, o.value());
            }
            case GuestOp.EnterNested o -> writes.register(Reg.RAX, o.address());
            case GuestOp.Run _,
                    GuestOp.Hlt _,
                    GuestOp.TlbInvalidate _,
                    GuestOp.Rdtsc _,
                    GuestOp.Pause _,
                    GuestOp.StoreNestedField _,
                    GuestOp.StoreNestedBitmap _,
                    GuestOp.Call _,
                    GuestOp.Ret _ -> {}
        }
    }

    /// EDX:EAX.
    private static void pair(WritesBuilder writes, long value) {
        writes.register(Reg.RAX, value & 0xffff_ffffL);
        writes.register(Reg.RDX, value >>> 32);
    }
}
