package trapline.engine.state;

import java.util.OptionalLong;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;

/// The exact state of one vCPU. Only this package changes it.
public final class VcpuState {

    /// Where the vCPU is: in the hypervisor, in the guest, or waiting for an interrupt.
    public enum Mode {
        ROOT,
        GUEST,
        HALTED
    }

    private static final Mode[] MODES = Mode.values();

    /// The one bit of EFER that is the processor's: no write changes it.
    private static final long EFER_LMA = 1 << 10;

    /// Bits 6:0 of RTIT_OUTPUT_MASK are always set.
    private static final long OUTPUT_MASK_FIXED = 0x7f;

    final int id;
    final Vendor vendor;
    final long[] registers;
    final MsrFile msrs;
    final MsrFile guestTrace;
    final MsrFile hostTrace;
    final MsrFile userspaceMsrs;
    final MsrFile withheld;
    final long[] kvm;
    final Image[] images;
    final MsrBitmap[] bitmaps;
    final ExtendedState extended;
    long seq;
    long tick;
    long op;

    /// The pCPU's state that this vCPU's VMLOAD state was loaded into, until something else is; else null.
    VmloadState holder;

    /// Registers that the guest may have changed since a field last held them.
    private long staleLow = -1;

    private long staleHigh = -1;

    VcpuState(int id, Vendor vendor) {
        this.id = id;
        this.vendor = vendor;
        registers = new long[Reg.COUNT];
        msrs = new MsrFile();
        guestTrace = new MsrFile();
        hostTrace = new MsrFile();
        userspaceMsrs = new MsrFile();
        withheld = new MsrFile();
        kvm = new long[Kvm.COUNT];
        kvm[Kvm.LEVEL.ordinal()] = 1;
        images = new Image[3];
        bitmaps = new MsrBitmap[3];
        for (int i = 0; i < 3; i++) {
            images[i] = new Image(vendor.layout());
            bitmaps[i] = new MsrBitmap(vendor.bitmap(), i == 2 ? 0 : -1);
        }
        extended = new ExtendedState();
    }

    private VcpuState(VcpuState other) {
        id = other.id;
        vendor = other.vendor;
        registers = other.registers.clone();
        msrs = other.msrs.copy();
        guestTrace = other.guestTrace.copy();
        hostTrace = other.hostTrace.copy();
        userspaceMsrs = other.userspaceMsrs.copy();
        withheld = other.withheld.copy();
        kvm = other.kvm.clone();
        images = new Image[3];
        bitmaps = new MsrBitmap[3];
        for (int i = 0; i < 3; i++) {
            images[i] = other.images[i].copy();
            bitmaps[i] = other.bitmaps[i].copy();
        }
        extended = other.extended.copy();
        seq = other.seq;
        tick = other.tick;
        op = other.op;
    }

    public int id() {
        return id;
    }

    public Vendor vendor() {
        return vendor;
    }

    /// The sequence number of the last event applied.
    public long seq() {
        return seq;
    }

    public long tick() {
        return tick;
    }

    /// The ordinal of the last guest op begun.
    public long op() {
        return op;
    }

    public Mode mode() {
        return MODES[(int) kvm[Kvm.MODE.ordinal()]];
    }

    public int level() {
        return (int) kvm[Kvm.LEVEL.ordinal()];
    }

    public int pcpu() {
        return (int) kvm[Kvm.PCPU.ordinal()];
    }

    public long kvm(Kvm item) {
        return kvm[item.ordinal()];
    }

    /// How deep the running level is in calls.
    public long callDepth() {
        return kvm[Kvm.CALL_DEPTH_1.ordinal() + level() - 1];
    }

    public boolean is(Kvm item) {
        return kvm[item.ordinal()] != 0;
    }

    public long register(Reg register) {
        return registers[register.ordinal()];
    }

    /// The value of an MSR as the guest believes it.
    public long msr(int msr) {
        Reg register = RegisterMap.register(msr);
        return register == null ? msrs.get(msr) : registers[register.ordinal()];
    }

    /// Whether the guest, or userspace for it, ever gave the MSR a value.
    public boolean hasMsr(int msr) {
        return RegisterMap.register(msr) != null || msrs.has(msr);
    }

    /// The indices of the MSRs with a value that are not registers.
    public int[] msrIndices() {
        return msrs.indices();
    }

    /// `pt_desc.guest`: what the hypervisor takes the guest's value of a PT MSR for. A mask starts with its fixed bits.
    public long guestTrace(int msr) {
        return msr == Msrs.RTIT_OUTPUT_MASK && !guestTrace.has(msr)
                ? OUTPUT_MASK_FIXED
                : guestTrace.get(msr);
    }

    /// `pt_desc.host`: what the hypervisor found of the host's before the last entry.
    public long hostTrace(int msr) {
        return hostTrace.get(msr);
    }

    /// The value that userspace keeps of an MSR that it emulates; empty if the guest never wrote it there.
    public OptionalLong userspaceMsr(int msr) {
        return userspaceMsrs.has(msr)
                ? OptionalLong.of(userspaceMsrs.get(msr))
                : OptionalLong.empty();
    }

    /// The indices of the MSRs that userspace emulates and the guest wrote.
    public int[] userspaceMsrIndices() {
        return userspaceMsrs.indices();
    }

    /// Whether KVM would let the access through if the filter did not deny it.
    public boolean isWithheld(int msr, boolean write) {
        return (withheld.get(msr) & (write ? 2 : 1)) != 0;
    }

    /// The structure by KVM's number: 1, 2 or 12.
    public Image image(int structure) {
        return images[slot(structure)];
    }

    public MsrBitmap bitmap(int structure) {
        return bitmaps[slot(structure)];
    }

    /// What XSAVE moves, as far as that is MSRs.
    public ExtendedState extended() {
        return extended;
    }

    /// The number of the structure that runs the guest now: 1, or 2 while L2 is the guest.
    public int currentStructure() {
        return level();
    }

    /// The structure that runs the guest now.
    public Image current() {
        return images[level() - 1];
    }

    public boolean pending(int vector) {
        return (kvm[Kvm.PENDING_0.ordinal() + (vector >>> 6)] >>> (vector & 63) & 1) != 0;
    }

    /// The highest pending virtual interrupt, or -1.
    public int highestPending() {
        for (int word = 3; word >= 0; word--) {
            long bits = kvm[Kvm.PENDING_0.ordinal() + word];
            if (bits != 0) {
                return 64 * word + 63 - Long.numberOfLeadingZeros(bits);
            }
        }
        return -1;
    }

    /// The bits of the first 64 registers of `set` whose field may be older than the register.
    public long staleLow(RegisterSet set) {
        return staleLow & set.low();
    }

    /// The same for the other registers.
    public long staleHigh(RegisterSet set) {
        return staleHigh & set.high();
    }

    VcpuState copy() {
        return new VcpuState(this);
    }

    static int slot(int structure) {
        return structure == 12 ? 2 : structure - 1;
    }

    void setRegister(Reg register, long value) {
        if (holder != null) {
            holder.changes(register, value);
        }
        registers[register.ordinal()] = value;
        touch(register.ordinal());
    }

    void setMsr(int msr, long value) {
        Reg register = RegisterMap.register(msr);
        if (register == null) {
            msrs.put(msr, value);
        } else if (register == Reg.EFER) {
            setRegister(register, (value & ~EFER_LMA) | (register(register) & EFER_LMA));
        } else {
            setRegister(register, value);
        }
    }

    void set(Kvm item, long value) {
        kvm[item.ordinal()] = value;
    }

    void call(long count) {
        kvm[Kvm.CALL_DEPTH_1.ordinal() + level() - 1] += count;
    }

    void setMode(Mode mode) {
        kvm[Kvm.MODE.ordinal()] = mode.ordinal();
    }

    void setPending(int vector, boolean pending) {
        int word = Kvm.PENDING_0.ordinal() + (vector >>> 6);
        long mask = 1L << (vector & 63);
        kvm[word] = pending ? kvm[word] | mask : kvm[word] & ~mask;
    }

    /// A field got a value; where it holds a register of the running guest, so did the register.
    ///
    /// What VMLOAD and VMSAVE move is always in vmcb01, whoever is the guest.
    void setField(Image image, int id, long value) {
        image.set(id, value);
        Field field = image.layout().field(id);
        if (image == (field.vmload() ? images[0] : current())) {
            Reg register = RegisterMap.of(vendor).register(field);
            if (register != null) {
                if (holder != null) {
                    holder.changes(register, value);
                }
                registers[register.ordinal()] = value;
                untouch(register.ordinal());
            }
        }
    }

    void allStale() {
        staleLow = -1;
        staleHigh = -1;
    }

    private void touch(int register) {
        if (register < 64) {
            staleLow |= 1L << register;
        } else {
            staleHigh |= 1L << register;
        }
    }

    private void untouch(int register) {
        if (register < 64) {
            staleLow &= ~(1L << register);
        } else {
            staleHigh &= ~(1L << register);
        }
    }

    /// Every register of `set` is in its field now.
    void stored(RegisterSet set) {
        staleLow &= ~set.low();
        staleHigh &= ~set.high();
    }
}
