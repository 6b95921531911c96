package trapline.replayer.cases;

import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.text.Node;
import trapline.replayer.Session;
import trapline.replayer.cases.Case.Subject;

/// Where a case's sessions are recorded, and what its names mean.
public interface Laboratory {

    /// Records the session, unless it has been; open for reading.
    Session session(Subject subject);

    Policy policy(Node expression);

    /// @param name of a profile; without one, the platform's own
    CostProfile costs(Session session, Optional<Node> name);
}
