package trapline.recorder.trace;

import java.nio.charset.StandardCharsets;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// What a file is by its first bytes.
final class Magic {

    // spotless:off
    private static final byte[] GZIP = {0x1f, (byte) 0x8b};
    private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};
    private static final byte[] TRACE_DAT = {0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g'};
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
    private static final byte[] XZ = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};
    private static final byte[] LZ4 = {0x04, 0x22, 0x4d, 0x18};
    // spotless:on
    private static final byte[] PERF = ascii("PERFILE2");
    private static final byte[] CONTAINER = ascii("Obj\1");
    private static final byte[] BZIP2 = ascii("BZh");
    private static final byte[] ZIP = ascii("PK\3\4");

    private Magic() {}

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean is(byte[] head, byte[] magic) {
        for (int i = 0; i < magic.length; i++) {
            if (i >= head.length || head[i] != magic[i]) {
                return false;
            }
        }
        return true;
    }

    static boolean gzip(byte[] head) {
        return is(head, GZIP);
    }

    static boolean zstd(byte[] head) {
        return is(head, ZSTD);
    }

    static boolean container(byte[] head) {
        return is(head, CONTAINER);
    }

    /// Refuses what is not text, with what makes text of it.
    static void refuse(byte[] head, String name) {
        String file = name.equals("-") ? "FILE" : name;
        if (is(head, TRACE_DAT)) {
            throw binary(name, "a trace.dat of trace-cmd", "trace-cmd report " + file);
        } else if (is(head, PERF)) {
            throw binary(name, "a perf.data of perf", "perf script -i " + file);
        } else if (is(head, XZ)) {
            throw binary(name, "xz data", "xz -dc " + file);
        } else if (is(head, BZIP2)) {
            throw binary(name, "bzip2 data", "bzip2 -dc " + file);
        } else if (is(head, LZ4)) {
            throw binary(name, "lz4 data", "lz4 -dc " + file);
        } else if (is(head, ZIP)) {
            throw binary(name, "a zip archive", "unzip -p " + file);
        } else if (gzip(head) || zstd(head)) {
            throw other(name, "data that was compressed twice; decompress it once");
        } else if (container(head)) {
            throw other(name, "a container of recorded sessions; import it by its file's name");
        } else if (is(head, ELF)) {
            throw other(name, "an ELF file");
        } else if (hasZero(head)) {
            throw other(name, "binary data");
        }
    }

    private static boolean hasZero(byte[] head) {
        for (byte b : head) {
            if (b == 0) {
                return true;
            }
        }
        return false;
    }

    private static InputException binary(String name, String found, String command) {
        return other(name, found + "; make text of it: " + command + " | trapline import -");
    }

    private static InputException other(String name, String found) {
        return new InputException(
                Kind.SYNTAX, name, "expected the text of a trace, found " + found);
    }
}
