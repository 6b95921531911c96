package trapline.engine.state;

import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import trapline.engine.event.Reg;

/// What one pCPU of AMD's holds of the state that VMLOAD and VMSAVE move (FACTS 5.1), register by register.
///
/// As a whole it is a vCPU's or the host's own, and what has come there since one by one is kept apart: so the guest's
/// state costs nothing to load, and yet each register has its exact value between exit and put.
final class VmloadState {

    static final List<Reg> REGISTERS = RegisterSet.atVmsave().registers();

    static final int SIZE = REGISTERS.size();

    private static final int[] PLACES = places();

    private final long[] host;
    private final long[] held = new long[SIZE];
    private final long[] area = new long[SIZE];

    /// The registers that do not hold what the owner's say.
    private long apart;

    /// The vCPU whose state was loaded last, or null for the host's own.
    private VcpuState owner;

    /// The registers of the host's save area that differ from the host's own, and whether it was ever written.
    private long areaApart;

    private boolean saved;

    VmloadState(SortedMap<Integer, Long> msrs, SortedMap<Reg, Long> segments) {
        host = new long[SIZE];
        for (int i = 0; i < SIZE; i++) {
            host[i] = segments.getOrDefault(REGISTERS.get(i), 0L);
        }
        msrs.forEach((msr, value) -> {
            int place = place(msr);
            if (place >= 0) {
                host[place] = value;
            }
        });
    }

    private VmloadState(VmloadState other) {
        host = other.host;
        System.arraycopy(other.held, 0, held, 0, SIZE);
        System.arraycopy(other.area, 0, area, 0, SIZE);
        apart = other.apart;
        areaApart = other.areaApart;
        saved = other.saved;
    }

    private static int[] places() {
        int[] places = new int[Reg.COUNT];
        Arrays.fill(places, -1);
        for (int i = 0; i < SIZE; i++) {
            places[REGISTERS.get(i).ordinal()] = i;
        }
        return places;
    }

    /// Where a register is here, or -1.
    static int place(Reg register) {
        return PLACES[register.ordinal()];
    }

    /// Where an MSR is here, or -1.
    static int place(int msr) {
        boolean near = msr >>> 8 == 0xc0_0000 || msr >>> 8 == 0xc0_0001 || msr >>> 4 == 0x17;
        Reg register = near ? RegisterMap.register(msr) : null;
        return register == null ? -1 : place(register);
    }

    long value(int place) {
        return isApart(place) ? held[place] : whole(place);
    }

    /// What the register would hold, had nothing come there by itself.
    private long whole(int place) {
        return owner == null ? host[place] : owner.register(REGISTERS.get(place));
    }

    private boolean isApart(int place) {
        return (apart >>> place & 1) != 0;
    }

    long own(int place) {
        return host[place];
    }

    int owner() {
        return owner == null ? -1 : owner.id;
    }

    /// Whether all of it is one vCPU's.
    boolean isAll(VcpuState vcpu) {
        return owner == vcpu && apart == 0;
    }

    /// One register, by an instruction of its own.
    void set(int place, long value) {
        if (owner == null && value == host[place]) {
            apart &= ~(1L << place);
        } else {
            apart |= 1L << place;
            held[place] = value;
        }
    }

    /// The owner's register changes where it is kept while the hardware goes on with the old value.
    void changes(Reg register, long value) {
        int place = place(register);
        if (place >= 0
                && !isApart(place)
                && owner.mode() != VcpuState.Mode.GUEST
                && owner.register(register) != value) {
            apart |= 1L << place;
            held[place] = owner.register(register);
        }
    }

    /// VMLOAD of a vCPU's VMCB.
    void loadGuest(VcpuState vcpu) {
        own(vcpu);
        apart = 0;
    }

    /// VMLOAD of the host's save area: zeros, if nothing was ever saved there.
    void loadHost() {
        own(null);
        if (saved) {
            apart = areaApart;
            System.arraycopy(area, 0, held, 0, areaApart == 0 ? 0 : SIZE);
        } else {
            for (int i = 0; i < SIZE; i++) {
                set(i, 0);
            }
        }
    }

    /// VMSAVE into the host's save area.
    void saveHost() {
        saved = true;
        areaApart = 0;
        if (owner != null || apart != 0) {
            for (int i = 0; i < SIZE; i++) {
                area[i] = value(i);
                areaApart |= area[i] != host[i] ? 1L << i : 0;
            }
        }
    }

    /// What the host's save area holds.
    long saved(int place) {
        if (!saved) {
            return 0;
        }
        return (areaApart >>> place & 1) != 0 ? area[place] : host[place];
    }

    /// VMRUN: whatever the hardware holds, the guest now runs with it.
    void enter(VcpuState vcpu) {
        if (!isAll(vcpu)) {
            long[] values = new long[SIZE];
            for (int i = 0; i < SIZE; i++) {
                values[i] = value(i);
            }
            loadGuest(vcpu);
            for (int i = 0; i < SIZE; i++) {
                vcpu.setRegister(REGISTERS.get(i), values[i]);
            }
        }
    }

    /// The vCPU goes elsewhere: what it leaves here is nobody's.
    void leave() {
        if (owner != null) {
            long[] values = new long[SIZE];
            for (int i = 0; i < SIZE; i++) {
                values[i] = value(i);
            }
            own(null);
            for (int i = 0; i < SIZE; i++) {
                set(i, values[i]);
            }
        }
    }

    private void own(VcpuState vcpu) {
        if (owner != vcpu) {
            if (owner != null) {
                owner.holder = null;
            }
            owner = vcpu;
            if (vcpu != null) {
                vcpu.holder = this;
            }
        }
    }

    /// A copy whose owner is one of the vCPUs of another machine.
    VmloadState copy(VcpuState[] vcpus) {
        VmloadState copy = new VmloadState(this);
        if (owner != null) {
            copy.own(vcpus[owner.id]);
        }
        return copy;
    }

    /// Its entries in the state's canonical form: registers, save area, and 64 for an area never written.
    void write(Entries entries, boolean used) {
        for (int i = 0; i < SIZE; i++) {
            if (isApart(i) && held[i] != whole(i)) {
                entries.put(i, held[i]);
            }
        }
        for (int i = 0; i < SIZE; i++) {
            if ((areaApart >>> i & 1) != 0) {
                entries.put(32 + i, area[i]);
            }
        }
        if (used && !saved) {
            entries.put(64, 1);
        }
    }

    interface Entries {
        void put(long key, long value);
    }

    /// One entry of that form, once the owner is restored.
    void restore(int key, long value) {
        if (key < SIZE) {
            apart |= 1L << key;
            held[key] = value;
        } else if (key >= 32 && key < 32 + SIZE) {
            areaApart |= 1L << (key - 32);
            area[key - 32] = value;
        } else if (key == 64) {
            saved = false;
        } else {
            throw new IllegalArgumentException("no entry " + key);
        }
    }

    /// A pCPU that was used has an area that was written, unless an entry says otherwise.
    void restoreUsed() {
        saved = true;
    }

    void restoreOwner(VcpuState vcpu) {
        own(vcpu);
    }
}
