package trapline.schemas;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// How one kind of record is written and read: its body without header and CRC.
///
/// @param schema the record's schema
public record Codec<T>(
        String schema, BiConsumer<T, AvroWriter> writer, Function<AvroReader, T> reader) {

    static <E> void writeArray(List<E> items, AvroWriter out, BiConsumer<E, AvroWriter> writer) {
        if (!items.isEmpty()) {
            out.writeLong(items.size());
            items.forEach(item -> writer.accept(item, out));
        }
        out.writeLong(0);
    }

    static <E> List<E> readArray(AvroReader in, Function<AvroReader, E> reader) {
        List<E> items = new ArrayList<>();
        for (int count = in.readBlockCount(); count > 0; count = in.readBlockCount()) {
            for (int i = 0; i < count; i++) {
                items.add(reader.apply(in));
            }
        }
        return items;
    }

    /// A union of null and one other type.
    static <E> void writeOptional(E value, AvroWriter out, BiConsumer<E, AvroWriter> writer) {
        out.writeLong(value == null ? 0 : 1);
        if (value != null) {
            writer.accept(value, out);
        }
    }

    /// A union of null and one other type; null for null.
    static <E> E readOptional(AvroReader in, Function<AvroReader, E> reader) {
        long branch = in.readLong();
        if (branch != 0 && branch != 1) {
            throw in.damaged("a union's branch, 0 or 1");
        }
        return branch == 1 ? reader.apply(in) : null;
    }
}
