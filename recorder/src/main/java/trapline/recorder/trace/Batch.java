package trapline.recorder.trace;

import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// What some lines told, on its way from the thread that parses to the one that reads.
final class Batch {

    static final int SIZE = 1_024;

    private static final byte OPENED = 0;
    private static final byte THREAD = 1;
    private static final byte HIT = 2;
    private static final byte MSR = 3;
    private static final byte LOST = 4;

    private final byte[] kinds = new byte[SIZE];
    private final int[] cpus = new int[SIZE];
    private final int[] threads = new int[SIZE];
    private final long[] times = new long[SIZE];
    private final Object[] firsts = new Object[SIZE];
    private final Object[] seconds = new Object[SIZE];
    private int size;

    /// How many bytes of the file had been read.
    long bytes;

    boolean isFull() {
        return size == SIZE;
    }

    boolean isEmpty() {
        return size == 0;
    }

    private void add(byte kind, int cpu, int thread, long time, Object first, Object second) {
        kinds[size] = kind;
        cpus[size] = cpu;
        threads[size] = thread;
        times[size] = time;
        firsts[size] = first;
        seconds[size] = second;
        size++;
    }

    void opened(TraceFormat format, TraceClock clock) {
        add(OPENED, 0, 0, 0, format, clock);
    }

    void thread(int thread, int process, String name) {
        add(THREAD, process, thread, 0, name, null);
    }

    void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
        add(HIT, cpu, thread, time, point, fields);
    }

    void msr(int vcpu, MsrLogged logged) {
        add(MSR, vcpu, 0, 0, logged, null);
    }

    void lost(int cpu, long time, long count) {
        add(LOST, cpu, 0, time, count, null);
    }

    void deliver(TraceSink sink) {
        for (int i = 0; i < size; i++) {
            switch (kinds[i]) {
                case HIT ->
                        sink.hit(
                                cpus[i],
                                threads[i],
                                times[i],
                                (Tracepoint) firsts[i],
                                (TraceFields) seconds[i]);
                case THREAD -> sink.thread(threads[i], cpus[i], (String) firsts[i]);
                case MSR -> sink.msr(cpus[i], (MsrLogged) firsts[i]);
                case LOST -> sink.lost(cpus[i], times[i], (Long) firsts[i]);
                default -> sink.opened((TraceFormat) firsts[i], (TraceClock) seconds[i]);
            }
        }
    }
}
