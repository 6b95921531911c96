package trapline.verify.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Repeated measurements of one thing.
record Figures(List<Double> values) {

    double median() {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// The median of the ratios pair by pair: each pair was measured one after the other.
    static double ratio(Figures ours, Figures baseline) {
        Double[] ratios = new Double[ours.values.size()];
        Arrays.setAll(ratios, i -> ours.values.get(i) / baseline.values.get(i));
        return new Figures(List.of(ratios)).median();
    }

    Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("median", Math.round(median()));
        tree.put("runs", values.stream().map(Math::round).toList());
        return tree;
    }

    static double rounded(double ratio) {
        return Math.round(ratio * 1000) / 1000.0;
    }
}
