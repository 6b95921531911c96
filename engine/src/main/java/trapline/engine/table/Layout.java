package trapline.engine.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;

/// The fields of one vendor's control structure, by number and by name.
public final class Layout {

    /// Every VMCS field with its own encoding; the high halves of 64-bit fields are not fields.
    public static final Layout VMCS = vmcs();

    /// Both areas of the VMCB, each word or register a field.
    public static final Layout VMCB = vmcb();

    private final List<Field> fields;
    private final short[] ordinals;
    private final TreeMap<String, Field> byName = new TreeMap<>();

    private Layout(List<Field> fields) {
        this.fields = Collections.unmodifiableList(fields);
        int last = fields.stream().mapToInt(Field::id).max().orElseThrow();
        ordinals = new short[last + 1];
        Arrays.fill(ordinals, (short) -1);
        for (Field field : fields) {
            ordinals[field.id()] = (short) field.ordinal();
            byName.put(field.name().toUpperCase(Locale.ROOT), field);
        }
    }

    public List<Field> fields() {
        return fields;
    }

    public int size() {
        return fields.size();
    }

    public boolean has(int id) {
        return id >= 0 && id < ordinals.length && ordinals[id] >= 0;
    }

    /// The field with this encoding or offset, which must exist.
    public Field field(int id) {
        if (!has(id)) {
            throw new IllegalArgumentException("no field 0x" + Integer.toHexString(id));
        }
        return fields.get(ordinals[id]);
    }

    public int ordinal(int id) {
        return ordinals[id];
    }

    /// The field with this name, in any case.
    public Optional<Field> find(String name) {
        return Optional.ofNullable(byName.get(name.toUpperCase(Locale.ROOT)));
    }

    /// For our own constants: the name must exist.
    public Field named(String name) {
        return find(name).orElseThrow(() -> new IllegalStateException("no field " + name));
    }

    public String name(int id) {
        return has(id) ? field(id).name() : "0x" + Integer.toHexString(id);
    }

    private static Layout vmcs() {
        List<Field> fields = new ArrayList<>();
        for (String[] row : Csv.rows("vmcs_fields.csv")) {
            int bits = row[2].equals("natural") ? 64 : Integer.parseInt(row[2]);
            Field.Shadow shadow =
                    switch (row[4]) {
                        case "RO" -> Field.Shadow.READ;
                        case "RW" -> Field.Shadow.READ_WRITE;
                        default -> Field.Shadow.NONE;
                    };
            int ordinal = fields.size();
            fields.add(
                    new Field(
                            ordinal,
                            Csv.hex(row[0]),
                            row[1],
                            bits,
                            area(row[3]),
                            shadow,
                            -1,
                            false));
        }
        return new Layout(fields);
    }

    private static Field.Area area(String name) {
        return switch (name) {
            case "control" -> Field.Area.CONTROL;
            case "exit-info" -> Field.Area.EXIT_INFO;
            case "guest-state" -> Field.Area.GUEST;
            case "host-state" -> Field.Area.HOST;
            default -> throw new IllegalStateException(name);
        };
    }

    private static Layout vmcb() {
        List<Field> fields = new ArrayList<>();
        for (String[] row : Csv.rows("vmcb_fields.csv")) {
            int offset = Csv.hex(row[0]);
            Field.Area area = offset >= 0x400 ? Field.Area.GUEST : Field.Area.CONTROL;
            int clean = row[3].isEmpty() ? -1 : Integer.parseInt(row[3]);
            fields.add(
                    new Field(
                            fields.size(),
                            offset,
                            row[2],
                            8 * Integer.parseInt(row[1]),
                            area,
                            Field.Shadow.NONE,
                            clean,
                            row[4].equals("yes")));
        }
        return new Layout(fields);
    }
}
