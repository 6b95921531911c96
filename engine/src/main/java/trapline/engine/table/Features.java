package trapline.engine.table;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;

/// CPUID features by Linux's name and by the property that QEMU gives them.
public final class Features {

    private static final TreeMap<String, Feature> BY_NAME = new TreeMap<>();
    private static final TreeMap<String, Feature> BY_PROPERTY = new TreeMap<>();

    static {
        for (String[] row : Csv.rows("features.csv")) {
            Feature feature =
                    new Feature(
                            row[0],
                            row[1],
                            row[2].isEmpty() ? 0 : Csv.hex(row[2]),
                            row[2].isEmpty() ? 0 : Integer.parseInt(row[3]),
                            List.of("EAX", "EBX", "ECX", "EDX").indexOf(row[4]),
                            row[2].isEmpty() ? 0 : Integer.parseInt(row[5]));
            BY_NAME.put(feature.name(), feature);
            BY_PROPERTY.put(feature.property(), feature);
        }
    }

    private Features() {}

    /// @param register 0 to 3 for EAX, EBX, ECX, EDX; -1 for what CPUID does not show
    public record Feature(
            String name, String property, int leaf, int subleaf, int register, int bit) {}

    public static Optional<Feature> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /// The feature with a QEMU property name, in any case.
    public static Optional<Feature> property(String property) {
        return Optional.ofNullable(BY_PROPERTY.get(property.toLowerCase(Locale.ROOT)));
    }

    public static Collection<Feature> all() {
        return Collections.unmodifiableCollection(BY_NAME.values());
    }

    public static Collection<String> names() {
        return Collections.unmodifiableSet(BY_NAME.keySet());
    }

    public static Collection<String> properties() {
        return Collections.unmodifiableSet(BY_PROPERTY.keySet());
    }
}
