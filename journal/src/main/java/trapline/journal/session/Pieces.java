package trapline.journal.session;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.Blob;
import trapline.schemas.BlobRef;
import trapline.schemas.Digest;
import trapline.schemas.SessionHeader;

/// Contents cut into pieces and put together again. An empty one is one empty piece.
public final class Pieces {

    /// No content is larger, so that a damaged length costs no memory.
    private static final int LARGEST = 512 << 20;

    private Pieces() {}

    public static List<Blob> cut(Digest sha256, byte[] content) {
        int count = count(content.length);
        List<Blob> pieces = new ArrayList<>(count);
        for (int index = 0; index < count; index++) {
            int from = index * Blob.PIECE;
            int to = Math.min(content.length, from + Blob.PIECE);
            pieces.add(new Blob(sha256, index, count, Arrays.copyOfRange(content, from, to)));
        }
        return pieces;
    }

    /// What a header says of the content with this hash.
    ///
    /// @param place of the session, for messages
    public static BlobRef ref(SessionHeader header, Digest sha256, String place) {
        return header.blobs().stream()
                .filter(ref -> ref.sha256().equals(sha256))
                .findFirst()
                .orElseThrow(() ->
                        new JournalException(
                                Kind.DAMAGED,
                                place,
                                "session %s names no content %s"
                                        .formatted(header.session(), sha256)));
    }

    /// The whole content, its length and hash checked.
    ///
    /// @param place of the pieces, for messages
    /// @param load a piece by its index
    public static byte[] join(BlobRef ref, String place, IntFunction<Blob> load) {
        if (ref.length() < 0 || ref.length() > LARGEST) {
            throw damaged(ref, place, "its length cannot be " + ref.length());
        }
        byte[] content = new byte[(int) ref.length()];
        int count = count(content.length);
        int size = 0;
        for (int index = 0; index < count; index++) {
            byte[] data = load.apply(index).data();
            if (data.length > content.length - size) {
                throw damaged(ref, place, "its pieces are longer than " + ref.length() + " bytes");
            }
            System.arraycopy(data, 0, content, size, data.length);
            size += data.length;
        }
        if (size != content.length || !Digest.of(content).equals(ref.sha256())) {
            throw damaged(ref, place, "its bytes do not have its hash");
        }
        return content;
    }

    private static int count(int length) {
        return Math.max(1, Math.ceilDiv(length, Blob.PIECE));
    }

    private static JournalException damaged(BlobRef ref, String place, String message) {
        return new JournalException(
                Kind.DAMAGED, place, "%s %s: %s".formatted(ref.role(), ref.sha256(), message));
    }
}
