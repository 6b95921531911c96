package trapline.replayer.times;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/// Groups by dimension and code; beyond a limit, what is new is counted as others.
final class Groups {

    private final int limit;
    private final Map<Dimension, Map<Long, Group>> byDimension = new EnumMap<>(Dimension.class);
    private final Map<Dimension, Group> others = new EnumMap<>(Dimension.class);

    Groups(Set<Dimension> dimensions, int limit) {
        this.limit = limit;
        dimensions.forEach(dimension -> byDimension.put(dimension, new HashMap<>()));
    }

    Set<Dimension> dimensions() {
        return byDimension.keySet();
    }

    boolean isEmpty(Dimension dimension) {
        return byDimension.get(dimension).isEmpty();
    }

    /// The group of this code, or null if nobody asks for the dimension.
    Group of(Dimension dimension, long code) {
        Map<Long, Group> groups = byDimension.get(dimension);
        if (groups == null) {
            return null;
        }
        Group group = groups.get(code);
        if (group == null) {
            if (groups.size() >= limit) {
                return others.computeIfAbsent(dimension, _ -> new Group());
            }
            group = new Group();
            groups.put(code, group);
        }
        return group;
    }

    void forEach(Dimension dimension, BiConsumer<Subject, Group> consumer) {
        byDimension
                .get(dimension)
                .forEach((code, group) ->
                        consumer.accept(new Subject(dimension, code, false), group));
        Group rest = others.get(dimension);
        if (rest != null) {
            consumer.accept(new Subject(dimension, 0, true), rest);
        }
    }
}
