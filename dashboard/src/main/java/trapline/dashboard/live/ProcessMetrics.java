package trapline.dashboard.live;

import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.lang.management.OperatingSystemMXBean;
import java.util.ArrayList;
import java.util.List;

/// What the server itself takes, under the names that Prometheus's clients give it.
final class ProcessMetrics {

    private ProcessMetrics() {}

    static List<MetricSnapshot> now() {
        List<MetricSnapshot> all = new ArrayList<>();
        OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
        if (system instanceof com.sun.management.OperatingSystemMXBean process) {
            all.add(
                    LiveMetrics.counterOf(
                            "process_cpu_seconds",
                            "Processor time of the server.",
                            process.getProcessCpuTime() / 1e9));
        }
        all.add(
                LiveMetrics.gaugeOf(
                        "process_start_time_seconds",
                        "When the server began, in seconds since 1970.",
                        ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3));
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        all.add(
                LiveMetrics.gaugeOf(
                        "jvm_heap_used_bytes", "Heap in use.", (double) heap.getUsed()));
        all.add(
                LiveMetrics.gaugeOf(
                        "jvm_heap_max_bytes", "The largest heap.", (double) heap.getMax()));
        all.add(
                LiveMetrics.gaugeOf(
                        "jvm_threads_current",
                        "Threads, virtual ones apart.",
                        ManagementFactory.getThreadMXBean().getThreadCount()));
        return all;
    }
}
