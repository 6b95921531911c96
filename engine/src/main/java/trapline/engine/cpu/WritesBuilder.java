package trapline.engine.cpu;

import java.util.Arrays;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.state.Image;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.RegisterSet;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Field;

/// Collects what one hardware transition stores, leaving out what is there already. Used again.
public final class WritesBuilder {

    private int[] places = new int[64];
    private long[] values = new long[64];
    private int size;
    private VcpuState vcpu;
    private Image image;

    /// The registers that have a value of their own in this transition; all are among the first 64.
    private long given;

    public WritesBuilder on(VcpuState vcpu, Image image) {
        this.vcpu = vcpu;
        this.image = image;
        size = 0;
        given = 0;
        return this;
    }

    public WritesBuilder field(Field field, long value) {
        long kept = value & field.mask();
        if (image.get(field) != kept) {
            add(field.id(), kept);
        }
        return this;
    }

    /// A register that the transition itself sets, in its field where it has one.
    public WritesBuilder register(Reg register, long value) {
        if (vcpu.register(register) != value) {
            Field field = RegisterMap.of(vcpu.vendor()).field(register);
            add(field == null ? register.place() : field.id(), value);
            given |= 1L << register.ordinal();
        }
        return this;
    }

    /// A register alone, whatever field holds it.
    public WritesBuilder bareRegister(Reg register, long value) {
        if (vcpu.register(register) != value) {
            add(register.place(), value);
        }
        return this;
    }

    /// Each register of the set, into its field.
    public WritesBuilder registers(RegisterSet set) {
        registers(vcpu.staleLow(set) & ~given, 0);
        registers(vcpu.staleHigh(set), 64);
        return this;
    }

    private void registers(long stale, int base) {
        for (long bits = stale; bits != 0; bits &= bits - 1) {
            Reg register = Reg.of(base + Long.numberOfTrailingZeros(bits));
            field(RegisterMap.of(vcpu.vendor()).field(register), vcpu.register(register));
        }
    }

    public Writes done() {
        return size == 0
                ? Writes.NONE
                : Writes.of(Arrays.copyOf(places, size), Arrays.copyOf(values, size));
    }

    private void add(int place, long value) {
        if (size == places.length) {
            places = Arrays.copyOf(places, 2 * size);
            values = Arrays.copyOf(values, 2 * size);
        }
        places[size] = place;
        values[size++] = value;
    }
}
