package trapline.schemas;

import java.util.Arrays;
import java.util.List;
import trapline.engine.state.MachineConfig;
import trapline.engine.state.MachineState;
import trapline.engine.state.Section;
import trapline.engine.state.Sections;
import trapline.schemas.WireException.Kind;

/// A machine's state as the schema `State` has it. Its digest is that of these bytes.
public final class StateCodec {

    private StateCodec() {}

    public static byte[] encode(MachineState machine) {
        AvroWriter out = new AvroWriter();
        Codec.writeArray(Sections.of(machine), out, StateCodec::write);
        return out.toByteArray();
    }

    public static Digest digest(MachineState machine) {
        return Digest.of(encode(machine));
    }

    public static MachineState decode(byte[] bytes, MachineConfig config) {
        AvroReader in = new AvroReader().over(bytes, 0, bytes.length);
        List<Section> sections = Codec.readArray(in, StateCodec::read);
        MachineState machine;
        try {
            machine = Sections.restore(config, sections);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new WireException(
                    Kind.DAMAGED, "the state is not one of this machine: " + e.getMessage());
        }
        if (!Arrays.equals(encode(machine), bytes)) {
            throw new WireException(
                    Kind.DAMAGED, "the state has numbers that this machine does not");
        }
        return machine;
    }

    /// Reads one state and forgets it.
    static void pass(AvroReader in) {
        Codec.readArray(in, StateCodec::read);
    }

    private static void write(Section section, AvroWriter out) {
        out.writeString(section.name());
        int size = section.keys().length;
        if (size > 0) {
            out.writeLong(size);
            for (int i = 0; i < size; i++) {
                out.writeLong(section.keys()[i]);
                out.writeLong(section.values()[i]);
            }
        }
        out.writeLong(0);
    }

    private static Section read(AvroReader in) {
        String name = in.readString();
        long[] keys = new long[0];
        long[] values = new long[0];
        for (int count = in.readBlockCount(); count > 0; count = in.readBlockCount()) {
            int old = keys.length;
            keys = Arrays.copyOf(keys, old + count);
            values = Arrays.copyOf(values, old + count);
            for (int i = old; i < keys.length; i++) {
                keys[i] = in.readLong();
                values[i] = in.readLong();
            }
        }
        return new Section(name, keys, values);
    }
}
