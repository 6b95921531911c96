package trapline.engine.exit;

/// Which devices KVM has itself, with a kernel irqchip; all others are userspace's.
final class Devices {

    private static final long APIC_PAGE = 0xfee00;
    private static final long IOAPIC_PAGE = 0xfec00;
    private static final long ENOSYS = -1000;
    private static final long VAPIC_POLL_IRQ = 1;
    private static final long KICK_CPU = 5;

    private Devices() {}

    /// PIC, PIT, the speaker port and the PIC's edge and level registers.
    static boolean inKernelPort(int port) {
        return port == 0x20
                || port == 0x21
                || port == 0xa0
                || port == 0xa1
                || (port >= 0x40 && port <= 0x43)
                || port == 0x61
                || port == 0x4d0
                || port == 0x4d1;
    }

    static boolean inKernelPage(long address) {
        return address >>> 12 == APIC_PAGE || address >>> 12 == IOAPIC_PAGE;
    }

    /// What KVM's hypercall leaves in RAX; most numbers have no effect that a policy could change.
    static long hypercall(long number) {
        return number == VAPIC_POLL_IRQ || number == KICK_CPU ? 0 : ENOSYS;
    }
}
