package trapline.schemas;

import java.util.List;

/// Where a session's checkpoints are: up to [#SIZE] of them in order.
///
/// @param page from 0
public record CheckpointPage(String session, int page, List<CheckpointRef> entries) {

    /// How many checkpoints a full page lists.
    public static final int SIZE = 500;

    public static final Codec<CheckpointPage> CODEC =
            new Codec<>("CheckpointPage", CheckpointPage::write, CheckpointPage::read);

    private static void write(CheckpointPage page, AvroWriter out) {
        out.writeString(page.session());
        out.writeInt(page.page());
        Codec.writeArray(page.entries(), out, CheckpointRef::write);
    }

    private static CheckpointPage read(AvroReader in) {
        return new CheckpointPage(
                in.readString(), in.readInt(), Codec.readArray(in, CheckpointRef::read));
    }
}
