package trapline.recorder;

import java.util.Optional;
import trapline.engine.sim.Ingredients;

/// What is to be recorded.
///
/// @param platform the host platform's name
/// @param policy the policy as its user wrote it
/// @param parent the session whose ops run again, if any
public record Plan(
        Ingredients ingredients, String platform, String policy, Optional<String> parent) {}
