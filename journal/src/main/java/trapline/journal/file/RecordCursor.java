package trapline.journal.file;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.avro.Schema;
import trapline.journal.JournalException;
import trapline.schemas.Schemas;

/// Goes through the records of blocks, each as it would be in a topic: header, body, CRC.
///
/// Not thread-safe.
final class RecordCursor {

    private static final int HEADER = 10;

    private final ContainerFile file;
    private final String[] names;
    private final byte[][] headers;
    private final Skipper[] skippers;
    private final int events;
    private Block block;
    private long left;
    private int position;
    private int branch;
    private byte[] record = new byte[1024];
    private int length;

    RecordCursor(ContainerFile file) {
        this.file = file;
        List<Schema> schemas = file.header().schema().getTypes();
        names = schemas.stream().map(Schema::getName).toArray(String[]::new);
        headers =
                schemas.stream()
                        .map(schema -> header(Schemas.fingerprint(schema)))
                        .toArray(byte[][]::new);
        events = Arrays.asList(names).indexOf("Envelope");
        skippers = schemas.stream().map(Skipper::of).toArray(Skipper[]::new);
    }

    /// Of Avro's single-object encoding: two marker bytes and the fingerprint, least byte first.
    private static byte[] header(long fingerprint) {
        byte[] header = new byte[HEADER];
        header[0] = (byte) 0xc3;
        header[1] = 0x01;
        for (int i = 0; i < 8; i++) {
            header[2 + i] = (byte) (fingerprint >>> (8 * i));
        }
        return header;
    }

    void enter(Block block) {
        this.block = block;
        left = block.count();
        position = 0;
    }

    /// Moves to the next record of the block.
    ///
    /// @return false at the block's end
    boolean next() {
        byte[] data = block.data();
        if (left == 0) {
            if (position != data.length) {
                throw damaged("the block holds more than its records");
            }
            return false;
        }
        left--;
        try {
            // The number of a branch takes one byte: there are fewer than 64.
            branch = Objects.checkIndex(data[position] >> 1, skippers.length);
            int body = position + 1;
            position = skippers[branch].skip(data, body);
            copy(data, body, position - body);
            return true;
        } catch (IndexOutOfBoundsException e) {
            throw damaged("the block's records are damaged");
        }
    }

    private void copy(byte[] data, int from, int bodyLength) {
        length = HEADER + bodyLength;
        if (length > record.length) {
            record = new byte[Math.max(length, 2 * record.length)];
        }
        System.arraycopy(headers[branch], 0, record, 0, HEADER);
        System.arraycopy(data, from, record, HEADER, bodyLength);
    }

    boolean isEvent() {
        return branch == events;
    }

    boolean is(String name) {
        return names[branch].equals(name);
    }

    /// The record's bytes, from index 0 on; valid until the next one.
    byte[] record() {
        return record;
    }

    int length() {
        return length;
    }

    /// The record's bytes, to keep.
    byte[] copy() {
        return Arrays.copyOf(record, length);
    }

    private JournalException damaged(String message) {
        return file.damaged(block.position(), message);
    }
}
