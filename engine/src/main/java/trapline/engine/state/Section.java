package trapline.engine.state;

import java.util.Arrays;

/// One part of a machine's state as numbers: keys in ascending unsigned order, each with its value.
///
/// All parts together are the state's canonical form: what checkpoints hold and digests cover. Only
/// what differs from the part's initial value is listed.
///
/// @param name which part: `vcpu0.registers`, `pcpu1.msrs`, `vcpu0.bitmap02` …
public record Section(String name, long[] keys, long[] values) {

    @Override
    public boolean equals(Object other) {
        return other instanceof Section that
                && name.equals(that.name)
                && Arrays.equals(keys, that.keys)
                && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * name.hashCode() + Arrays.hashCode(keys)) + Arrays.hashCode(values);
    }
}
