package trapline.journal.file;

import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;

/// Finds where a datum ends, which Avro does not say in front of it.
///
/// Bounds are the caller's to check: what is read beyond them is a datum that ends beyond them.
interface Skipper {

    /// @return the position after the datum
    /// @throws IndexOutOfBoundsException if it does not end in this array
    int skip(byte[] bytes, int position);

    static Skipper of(Schema schema) {
        return switch (schema.getType()) {
            case NULL -> (_, position) -> position;
            case BOOLEAN -> fixed(1);
            case FLOAT -> fixed(4);
            case DOUBLE -> fixed(8);
            case FIXED -> fixed(schema.getFixedSize());
            case INT, LONG, ENUM -> varints(1);
            case STRING, BYTES -> Skipper::skipBytes;
            case RECORD -> record(schema);
            case ARRAY -> items(of(schema.getElementType()));
            case MAP -> items(sequence(List.of(Skipper::skipBytes, of(schema.getValueType()))));
            case UNION -> union(schema.getTypes().stream().map(Skipper::of).toList());
        };
    }

    /// The number at a position, or the length of something that follows it.
    static long readLong(byte[] bytes, int position) {
        long rest = 0;
        int shift = 0;
        byte next;
        int at = position;
        do {
            next = bytes[at++];
            rest |= (next & 0x7fL) << shift;
            shift += 7;
        } while (next < 0 && shift < 70);
        return rest >>> 1 ^ -(rest & 1);
    }

    private static int skipVarint(byte[] bytes, int position) {
        int at = position;
        while (bytes[at++] < 0) {
            // One more byte.
        }
        return at;
    }

    private static int skipBytes(byte[] bytes, int position) {
        long length = readLong(bytes, position);
        return advance(bytes, skipVarint(bytes, position), length);
    }

    private static int advance(byte[] bytes, int position, long length) {
        if (length < 0 || length > bytes.length - position) {
            throw new IndexOutOfBoundsException("a length of " + length);
        }
        return position + (int) length;
    }

    private static Skipper fixed(int size) {
        return (bytes, position) -> advance(bytes, position, size);
    }

    private static Skipper varints(int count) {
        return (bytes, position) -> {
            int at = position;
            for (int i = 0; i < count; i++) {
                at = skipVarint(bytes, at);
            }
            return at;
        };
    }

    /// Neighbouring numbers are skipped in one go.
    private static Skipper record(Schema schema) {
        List<Skipper> parts = new ArrayList<>();
        int numbers = 0;
        for (Schema.Field field : schema.getFields()) {
            if (isNumber(field.schema())) {
                numbers++;
            } else {
                if (numbers > 0) {
                    parts.add(varints(numbers));
                }
                numbers = 0;
                parts.add(of(field.schema()));
            }
        }
        if (numbers > 0) {
            parts.add(varints(numbers));
        }
        return parts.size() == 1 ? parts.getFirst() : sequence(parts);
    }

    private static boolean isNumber(Schema schema) {
        return switch (schema.getType()) {
            case INT, LONG, ENUM -> true;
            default -> false;
        };
    }

    private static Skipper sequence(List<Skipper> parts) {
        Skipper[] each = parts.toArray(Skipper[]::new);
        return (bytes, position) -> {
            int at = position;
            for (Skipper part : each) {
                at = part.skip(bytes, at);
            }
            return at;
        };
    }

    private static Skipper union(List<Skipper> branches) {
        Skipper[] each = branches.toArray(Skipper[]::new);
        return (bytes, position) -> {
            long branch = readLong(bytes, position);
            if (branch < 0 || branch >= each.length) {
                throw new IndexOutOfBoundsException("branch " + branch);
            }
            return each[(int) branch].skip(bytes, skipVarint(bytes, position));
        };
    }

    private static Skipper items(Skipper item) {
        return (bytes, position) -> {
            int at = position;
            long count = readLong(bytes, at);
            while (count != 0) {
                at = skipVarint(bytes, at);
                if (count < 0) {
                    at = advance(bytes, skipVarint(bytes, at), readLong(bytes, at));
                } else {
                    for (long i = 0; i < count; i++) {
                        at = item.skip(bytes, at);
                    }
                }
                count = readLong(bytes, at);
            }
            return skipVarint(bytes, at);
        };
    }
}
