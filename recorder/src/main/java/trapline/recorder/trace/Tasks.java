package trapline.recorder.trace;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// The threads of a trace by their number, with their names as bytes.
final class Tasks {

    /// So many threads are remembered; then all are forgotten, and told of again.
    private static final int MOST = 1 << 16;

    private static final byte[] UNKNOWN = {'<', '.', '.', '.', '>'};

    static final class Task {
        final int thread;
        private final byte[] name;
        private int process;
        private boolean told;

        Task(int thread, int process, byte[] name) {
            this.thread = thread;
            this.process = process;
            this.name = name;
        }

        int process() {
            return process;
        }

        String name() {
            return Text.escaped(name, 0, name.length);
        }

        /// True once: when nobody was told of it yet.
        boolean isNew() {
            boolean before = told;
            told = true;
            return !before;
        }

        private boolean named(byte[] line, int from, int to) {
            return Arrays.equals(name, 0, name.length, line, from, to);
        }
    }

    private final Map<Integer, Task> tasks = new HashMap<>();
    private long renamed;
    private Task last = new Task(-1, 0, UNKNOWN);

    /// The thread of this number, a new one if it has another name or process than before.
    Task of(int thread, int process, byte[] line, int from, int to) {
        Task task = last.thread == thread ? last : tasks.get(thread);
        if (task == null || !same(task, process, line, from, to)) {
            task = add(task, thread, process, line, from, to);
        }
        last = task;
        return task;
    }

    /// Grows whenever a thread gets another name.
    long renamed() {
        return renamed;
    }

    private static boolean same(Task task, int process, byte[] line, int from, int to) {
        return (process == 0 || process == task.process)
                && (task.named(line, from, to)
                        || Arrays.equals(UNKNOWN, 0, UNKNOWN.length, line, from, to));
    }

    private Task add(Task before, int thread, int process, byte[] line, int from, int to) {
        if (tasks.size() == MOST) {
            tasks.clear();
            renamed++;
        }
        renamed += before == null ? 0 : 1;
        int owner = process == 0 && before != null ? before.process : process;
        Task task = new Task(thread, owner, Arrays.copyOfRange(line, from, to));
        tasks.put(thread, task);
        return task;
    }
}
