package trapline.verify;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;

/// Marks tests that start containers. Where no engine answers they are skipped, and say so.
///
/// With `-Dtrapline.containers=required` they are never skipped: without an engine they fail.
@Tag("containers")
@ExtendWith(Containers.EngineAnswers.class)
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface Containers {

    String KAFKA = "apache/kafka:4.3.1";

    /// How often a container is started at most: an engine may run its start script while that is still being copied.
    int STARTUPS = 3;

    final class EngineAnswers implements ExecutionCondition {

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if ("required".equals(System.getProperty("trapline.containers"))) {
                return ConditionEvaluationResult.enabled("required");
            }
            if (DockerClientFactory.instance().isDockerAvailable()) {
                return ConditionEvaluationResult.enabled("a container engine answers");
            }
            String reason = "no container engine answers: start Docker or set DOCKER_HOST";
            System.out.println(context.getDisplayName() + " is skipped, " + reason);
            return ConditionEvaluationResult.disabled(reason);
        }
    }
}
