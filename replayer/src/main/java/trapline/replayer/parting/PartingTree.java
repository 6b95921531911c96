package trapline.replayer.parting;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.replayer.EventFields;
import trapline.replayer.Session;

/// Where two sessions part as JSON has it.
public final class PartingTree {

    private PartingTree() {}

    /// @return null where they do not part
    public static SequencedMap<String, Object> of(
            Optional<Parting> found, Session base, Session candidate) {
        if (found.isEmpty()) {
            return null;
        }
        Parting parting = found.get();
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", parting.vcpu());
        tree.put("differences", parting.differences());
        tree.put("base", side(parting.base(), parting.before(), parting.after(), base));
        tree.put(
                "candidate",
                side(
                        parting.candidate(),
                        parting.candidateBefore(),
                        parting.candidateAfter(),
                        candidate));
        return tree;
    }

    private static SequencedMap<String, Object> side(
            Optional<Envelope> event,
            List<Envelope> before,
            List<Envelope> after,
            Session session) {
        EventFields fields = new EventFields(session.vendor());
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("before", before.stream().map(fields::row).toList());
        tree.put("event", event.map(fields::row).orElse(null));
        tree.put("after", after.stream().map(fields::row).toList());
        return tree;
    }
}
