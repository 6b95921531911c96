package trapline.journal.file;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.DiskFailure;
import trapline.schemas.AvroReader;
import trapline.schemas.WireException;

/// An Avro container file, block by block, from any position on or from its end backwards.
///
/// Every block is checked: its size, the marker after it, the checksum of its compressed bytes. The
/// file ends where it ended when it was last looked at, so that a recorder may write on meanwhile.
final class ContainerFile implements AutoCloseable {

    /// No block is larger, packed or unpacked, so that a damaged size costs no memory.
    static final int LARGEST_BLOCK = 64 << 20;

    private static final int LARGEST_HEADER = 1 << 20;
    private static final int LONGEST_NUMBERS = 20;
    private static final int BACKWARDS = 64 << 10;

    private final Path path;
    private final FileChannel channel;
    private final ContainerHeader header;
    private volatile long size;

    private ContainerFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
        look();
        header = readHeader();
    }

    static ContainerFile open(Path path) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path);
            return new ContainerFile(path, channel);
        } catch (NoSuchFileException e) {
            throw new JournalException(Kind.NO_SESSION, path.toString(), "no such file", e);
        } catch (IOException e) {
            throw DiskFailure.of(path, "be opened", e);
        } catch (JournalException e) {
            close(channel);
            throw e;
        }
    }

    Path path() {
        return path;
    }

    ContainerHeader header() {
        return header;
    }

    /// The position of the first block.
    long start() {
        return header.length();
    }

    long size() {
        return size;
    }

    /// Looks where the file ends now.
    void look() {
        try {
            size = channel.size();
        } catch (IOException e) {
            throw DiskFailure.of(path, "be read", e);
        }
    }

    /// The block at a position; empty if the file ends there, or within the block.
    Optional<Block> read(long position) {
        Optional<Head> head = head(position);
        return head.map(found -> unpack(position, found));
    }

    /// The block at a position without its records; empty if the file ends there, or within it.
    Optional<Head> head(long position) {
        byte[] bytes = read(position, Math.clamp(size - position, 0, LONGEST_NUMBERS));
        AvroReader in = new AvroReader().over(bytes, 0, bytes.length);
        if (bytes.length == 0) {
            return Optional.empty();
        }
        try {
            return head(position, in.readLong(), in.readLong(), in.position());
        } catch (WireException e) {
            if (bytes.length == LONGEST_NUMBERS) {
                throw damaged(position, "the block's head is damaged");
            }
            checkCutShort(position);
            return Optional.empty();
        }
    }

    private Optional<Head> head(long position, long count, long length, int begin) {
        if (count <= 0 || length < 0 || length > LARGEST_BLOCK) {
            throw damaged(position, "the block's head is damaged");
        }
        long next = position + begin + length + ContainerHeader.SYNC_LENGTH;
        if (next > size) {
            checkCutShort(position);
            return Optional.empty();
        }
        if (!isSync(next - ContainerHeader.SYNC_LENGTH)) {
            throw damaged(position, "the block's size or the marker behind it is damaged");
        }
        return Optional.of(new Head(count, position + begin, (int) length, next));
    }

    /// @param data the position of the block's data
    /// @param next the position of the block after it
    record Head(long count, long data, int size, long next) {}

    private Block unpack(long position, Head head) {
        byte[] packed = read(head.data(), head.size());
        long length = Zstd.getFrameContentSize(packed);
        if (length < 0 || length > LARGEST_BLOCK) {
            throw damaged(position, "the block's data is damaged");
        }
        try {
            byte[] data = Zstd.decompress(packed, (int) length);
            return new Block(position, head.count(), head.next(), data);
        } catch (ZstdException e) {
            throw damaged(position, "the block's data is damaged: " + e.getMessage());
        }
    }

    /// The position of the block that ends at a position; empty if there is none.
    OptionalLong before(long end) {
        long limit = end - ContainerHeader.SYNC_LENGTH;
        if (limit < start() || !isSync(limit)) {
            return OptionalLong.empty();
        }
        byte[] sync = header.sync();
        for (long from = limit; from > start() - ContainerHeader.SYNC_LENGTH; ) {
            long begin = Math.max(start() - ContainerHeader.SYNC_LENGTH, from - BACKWARDS);
            int length = (int) Math.min(from - begin + sync.length - 1, limit - begin);
            byte[] bytes = read(begin, length);
            for (int at = length - sync.length; at >= 0; at--) {
                if (Arrays.equals(bytes, at, at + sync.length, sync, 0, sync.length)) {
                    return OptionalLong.of(begin + at + sync.length);
                }
            }
            from = begin;
        }
        return OptionalLong.empty();
    }

    /// Whether the file's last bytes are those that end a block.
    boolean endsWhole() {
        return isSync(size - ContainerHeader.SYNC_LENGTH);
    }

    /// A block that ends behind the file's end was cut short, unless the file's end is whole.
    private void checkCutShort(long position) {
        if (endsWhole()) {
            throw damaged(position, "the block's size is damaged");
        }
    }

    private boolean isSync(long position) {
        byte[] sync = header.sync();
        return position >= 0
                && position + sync.length <= size
                && Arrays.equals(read(position, sync.length), sync);
    }

    private byte[] read(long position, int length) {
        byte[] bytes = new byte[length];
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, position + buffer.position()) < 0) {
                    throw damaged(position, "the file became shorter while it was read");
                }
            }
        } catch (IOException e) {
            throw DiskFailure.of(path, "be read", e);
        }
        return bytes;
    }

    private ContainerHeader readHeader() {
        byte[] bytes = read(0, (int) Math.min(size, LARGEST_HEADER));
        try {
            return ContainerHeader.decode(bytes);
        } catch (WireException e) {
            Kind kind = e.kind() == WireException.Kind.UNKNOWN_SCHEMA ? Kind.NEWER : Kind.DAMAGED;
            throw new JournalException(kind, path.toString(), headerMessage(e), e);
        }
    }

    private String headerMessage(WireException e) {
        if (size == 0) {
            return "the file is empty";
        }
        return e.kind() == WireException.Kind.DAMAGED
                ? "the header is cut short or damaged: " + e.getMessage()
                : e.getMessage();
    }

    JournalException damaged(long position, String message) {
        return new JournalException(Kind.DAMAGED, path + "@" + position, message);
    }

    private static void close(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing that is read can be lost by this.
        }
    }

    @Override
    public void close() {
        close(channel);
    }
}
