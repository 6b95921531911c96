package trapline.replayer.export;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.JsonTree;

/// Perfetto's own form, a stream of TracePackets in protocol buffers, for ui.perfetto.dev and the trace processor.
///
/// Of its schema only the few fields below are needed, which are public and stay.
final class PerfettoTimeline implements Timeline {

    // Trace
    private static final int PACKET = 1;
    // TracePacket
    private static final int TIMESTAMP = 8;
    private static final int SEQUENCE = 10;
    private static final int TRACK_EVENT = 11;
    private static final int SEQUENCE_FLAGS = 13;
    private static final int TRACK_DESCRIPTOR = 60;
    // TrackDescriptor
    private static final int UUID = 1;
    private static final int TRACK_NAME = 2;
    private static final int PROCESS = 3;
    private static final int PARENT = 5;
    private static final int COUNTER = 8;
    private static final int CHILD_ORDERING = 11;
    private static final int SIBLING_RANK = 12;
    private static final int EXPLICIT = 3;
    // ProcessDescriptor
    private static final int PID = 1;
    private static final int PROCESS_NAME = 6;
    // TrackEvent
    private static final int ANNOTATION = 4;
    private static final int TYPE = 9;
    private static final int TRACK = 11;
    private static final int NAME = 23;
    private static final int VALUE = 30;
    private static final int FLOWS = 47;
    private static final int ENDING_FLOWS = 48;
    private static final int BEGIN = 1;
    private static final int END = 2;
    private static final int INSTANT = 3;
    private static final int COUNTED = 4;
    // DebugAnnotation
    private static final int BOOL = 2;
    private static final int INT = 4;
    private static final int TEXT = 6;
    private static final int POINTER = 7;
    private static final int ANNOTATION_NAME = 10;

    /// The whole session's track, which all others are under.
    private static final long SESSION = 1;

    private static final int FIRST_ROW = 2;

    private interface Message {
        void write(CodedOutputStream out) throws IOException;
    }

    private final CodedOutputStream out;
    private boolean started;

    PerfettoTimeline(String title, OutputStream out) throws IOException {
        this.out = CodedOutputStream.newInstance(out);
        describe(
                SESSION,
                track -> {
                    nested(
                            track,
                            PROCESS,
                            process -> {
                                process.writeInt32(PID, 1);
                                process.writeString(PROCESS_NAME, title);
                            });
                    track.writeInt32(CHILD_ORDERING, EXPLICIT);
                });
    }

    private static void nested(CodedOutputStream out, int field, Message message)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        CodedOutputStream inner = CodedOutputStream.newInstance(bytes, 256);
        message.write(inner);
        inner.flush();
        out.writeByteArray(field, bytes.toByteArray());
    }

    private void packet(Message message) throws IOException {
        nested(
                out,
                PACKET,
                packet -> {
                    message.write(packet);
                    packet.writeUInt32(SEQUENCE, 1);
                    if (!started) {
                        packet.writeUInt32(SEQUENCE_FLAGS, 1); // nothing is interned before
                        started = true;
                    }
                });
    }

    private void describe(long uuid, Message message) throws IOException {
        packet(packet ->
                nested(
                        packet,
                        TRACK_DESCRIPTOR,
                        track -> {
                            track.writeUInt64(UUID, uuid);
                            message.write(track);
                        }));
    }

    private void event(int row, long time, int type, Message message) throws IOException {
        packet(packet -> {
            packet.writeUInt64(TIMESTAMP, time);
            nested(
                    packet,
                    TRACK_EVENT,
                    event -> {
                        event.writeInt32(TYPE, type);
                        event.writeUInt64(TRACK, FIRST_ROW + row);
                        message.write(event);
                    });
        });
    }

    @Override
    public void row(int row, String name) throws IOException {
        describe(FIRST_ROW + row, track -> child(track, row, name));
    }

    @Override
    public void counter(int counter, String name) throws IOException {
        describe(
                FIRST_ROW + counter,
                track -> {
                    child(track, counter, name);
                    nested(track, COUNTER, _ -> {});
                });
    }

    private static void child(CodedOutputStream track, int row, String name) throws IOException {
        track.writeUInt64(PARENT, SESSION);
        track.writeString(TRACK_NAME, name);
        track.writeInt32(SIBLING_RANK, row);
    }

    @Override
    public void begin(int row, long time, String name, Map<String, Object> details, Arrows arrows)
            throws IOException {
        event(
                row,
                time,
                BEGIN,
                event -> {
                    event.writeString(NAME, name);
                    annotate(details, event);
                    for (long arrow : arrows.from()) {
                        event.writeFixed64(FLOWS, arrow);
                    }
                    if (arrows.to() != 0) {
                        event.writeFixed64(ENDING_FLOWS, arrows.to());
                    }
                });
    }

    @Override
    public void end(int row, long time) throws IOException {
        event(row, time, END, _ -> {});
    }

    @Override
    public void instant(int row, long time, String name, Map<String, Object> details)
            throws IOException {
        event(
                row,
                time,
                INSTANT,
                event -> {
                    event.writeString(NAME, name);
                    annotate(details, event);
                });
    }

    @Override
    public void value(int counter, long time, long value) throws IOException {
        event(counter, time, COUNTED, event -> event.writeInt64(VALUE, value));
    }

    private static void annotate(Map<String, Object> details, CodedOutputStream event)
            throws IOException {
        for (Map.Entry<String, Object> detail : details.entrySet()) {
            nested(
                    event,
                    ANNOTATION,
                    annotation -> {
                        annotation.writeString(ANNOTATION_NAME, detail.getKey());
                        switch (detail.getValue()) {
                            case Boolean flag -> annotation.writeBool(BOOL, flag);
                            case Long number -> annotation.writeInt64(INT, number);
                            case Hex hex -> annotation.writeUInt64(POINTER, hex.value());
                            case Map<?, ?> map -> annotation.writeString(TEXT, JsonTree.text(map));
                            case List<?> list -> annotation.writeString(TEXT, JsonTree.text(list));
                            default -> annotation.writeString(TEXT, detail.getValue().toString());
                        }
                    });
        }
    }

    @Override
    public void finish() throws IOException {
        out.flush();
    }
}
