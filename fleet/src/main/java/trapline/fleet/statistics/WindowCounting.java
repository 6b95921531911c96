package trapline.fleet.statistics;

import java.time.Duration;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;
import trapline.schemas.ExitGlance;
import trapline.schemas.Frame;
import trapline.schemas.WireException;

/// Counts one partition's exits into windows and passes on each window that changed.
final class WindowCounting implements Processor<byte[], byte[], byte[], byte[]> {

    static final String STORE = "windows";

    private static final Duration SWEEP = Duration.ofSeconds(10);

    private final Frame<ExitGlance> frame;
    private final Counters counters;
    private InternalProcessorContext<byte[], byte[]> context;
    private ProcessorNode<?, ?, ?, ?> node;
    private WindowStore store;

    WindowCounting(Frame<ExitGlance> frame, Counters counters) {
        this.frame = frame;
        this.counters = counters;
    }

    /// Passing something on at a commit is what Streams' own caches do, and nobody else can but by
    /// its inner interface.
    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = (InternalProcessorContext<byte[], byte[]>) given;
        node = context.currentNode();
        store = given.getStateStore(STORE);
        store.remember(System.currentTimeMillis());
        store.listen(this::changed);
        given.schedule(SWEEP, PunctuationType.WALL_CLOCK_TIME, store::forget);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (record.value() == null) {
            counters.skip();
            return;
        }
        try {
            ExitGlance exit = frame.decode(record.value());
            if (exit.recordedMillis() < 0 || exit.vcpu() < 0) {
                counters.skip();
                return;
            }
            store.count(exit);
            counters.exit();
        } catch (WireException e) {
            counters.skip();
        }
    }

    /// Kept by when it changed: the clocks of those who record may be anywhere.
    private void changed(WindowKey key, byte[] window) {
        long millis = System.currentTimeMillis();
        ProcessorNode<?, ?, ?, ?> before = context.currentNode();
        context.setCurrentNode(node);
        try {
            context.forward(new Record<>(key.bytes().get(), window, millis, new RecordHeaders()));
        } finally {
            context.setCurrentNode(before);
        }
        counters.window();
    }
}
