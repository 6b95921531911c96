package trapline.journal.file;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.avro.Schema;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Codec;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.Schemas;
import trapline.schemas.WireException;

/// A session's file as blocks that hold one known record each, or events.
final class Container implements AutoCloseable, Framing.Writers {

    private final ContainerFile file;
    private final Map<Long, Schema> schemas = new HashMap<>();
    private final CatalogueEntry opened;
    private final long afterEntry;

    private Container(ContainerFile file) {
        this.file = file;
        for (Schema schema : file.header().schema().getTypes()) {
            schemas.put(Schemas.fingerprint(schema), schema);
        }
        opened = read(CatalogueEntry.CODEC, file.start());
        afterEntry = file.head(file.start()).orElseThrow().next();
    }

    static Container open(Path path) {
        ContainerFile file = ContainerFile.open(path);
        try {
            return new Container(file);
        } catch (JournalException e) {
            file.close();
            throw e;
        }
    }

    ContainerFile file() {
        return file;
    }

    /// The entry that the file begins with.
    CatalogueEntry opened() {
        return opened;
    }

    /// The position behind that entry: of contents, then of events.
    long afterEntry() {
        return afterEntry;
    }

    /// The entry that the file ends with, if it does.
    Optional<CatalogueEntry> closed() {
        OptionalLong last = file.before(file.size());
        if (last.isEmpty() || last.getAsLong() < afterEntry) {
            return Optional.empty();
        }
        RecordCursor cursor = enter(last.getAsLong());
        return cursor.is("CatalogueEntry")
                ? Optional.of(decode(CatalogueEntry.CODEC, cursor, last.getAsLong()))
                        .filter(entry -> entry.status() != Status.OPEN)
                : Optional.empty();
    }

    /// The one record of the block at a position.
    <T> T read(Codec<T> codec, long position) {
        RecordCursor cursor = enter(position);
        if (!cursor.is(codec.schema())) {
            throw file.damaged(position, "expected a " + codec.schema() + ", found another record");
        }
        return decode(codec, cursor, position);
    }

    /// Stands on the first record of the block at a position.
    RecordCursor enter(long position) {
        RecordCursor cursor = new RecordCursor(file);
        cursor.enter(
                file.read(position)
                        .orElseThrow(() -> file.damaged(position, "the file ends here")));
        cursor.next();
        return cursor;
    }

    <T> T decode(Codec<T> codec, RecordCursor cursor, long position) {
        try {
            return new Frame<>(codec, Framing.SINGLE_OBJECT, this)
                    .decode(cursor.record(), 0, cursor.length());
        } catch (WireException e) {
            Kind kind = e.kind() == WireException.Kind.UNKNOWN_SCHEMA ? Kind.NEWER : Kind.DAMAGED;
            throw new JournalException(kind, file.path() + "@" + position, e.getMessage(), e);
        }
    }

    @Override
    public Schema byFingerprint(long fingerprint) {
        Schema schema = schemas.get(fingerprint);
        return schema == null ? Framing.Writers.OURS.byFingerprint(fingerprint) : schema;
    }

    @Override
    public Schema byRegistryId(int id) {
        return null;
    }

    @Override
    public void close() {
        file.close();
    }
}
