package trapline.verify.browser;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Marks tests that need Debian's chromium and chromium-driver. Where they are not installed they are skipped, and say so.
///
/// With `-Dtrapline.tools=required` they are never skipped.
@Tag("browser")
@ExtendWith(Browser.IsInstalled.class)
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface Browser {

    final class IsInstalled implements ExecutionCondition {

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if ("required".equals(System.getProperty("trapline.tools"))) {
                return ConditionEvaluationResult.enabled("required");
            }
            if (Files.isExecutable(Chromium.PROGRAM) && Files.isExecutable(Chromium.DRIVER)) {
                return ConditionEvaluationResult.enabled("chromium and its driver are installed");
            }
            String reason = "chromium and chromium-driver are not installed";
            System.out.println(context.getDisplayName() + " is skipped, " + reason);
            return ConditionEvaluationResult.disabled(reason);
        }
    }
}
