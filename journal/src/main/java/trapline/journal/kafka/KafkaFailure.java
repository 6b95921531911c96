package trapline.journal.kafka;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.WireException;

/// What Kafka's clients report, in Trapline's terms.
final class KafkaFailure {

    private KafkaFailure() {}

    /// @param place an address, or topic and partition
    /// @param action what could not be done, after "cannot"
    static JournalException of(Throwable failure, String place, String action) {
        Throwable cause = root(failure);
        if (cause instanceof JournalException known) {
            return known;
        }
        if (cause instanceof InterruptException || cause instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            return new JournalException(
                    Kind.UNREACHABLE, place, "interrupted; cannot " + action, cause);
        }
        return new JournalException(
                kind(cause), place, "cannot %s: %s".formatted(action, reason(cause)), cause);
    }

    /// A record that is there but is not what was written.
    static JournalException of(WireException failure, String place) {
        Kind kind = failure.kind() == WireException.Kind.UNKNOWN_SCHEMA ? Kind.NEWER : Kind.DAMAGED;
        return new JournalException(kind, place, failure.getMessage(), failure);
    }

    /// Whether trying again may help.
    static boolean isPassing(Throwable failure) {
        Throwable cause = root(failure);
        return cause instanceof RetriableException && !(cause instanceof CorruptRecordException);
    }

    private static Throwable root(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof ExecutionException
                        || cause instanceof CompletionException
                        || cause.getClass() == KafkaException.class)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static Kind kind(Throwable cause) {
        return switch (cause) {
            case ThrottlingQuotaExceededException _ -> Kind.REFUSED;
            case UnknownTopicOrPartitionException _ -> Kind.NO_LOG;
            case KafkaStorageException _ -> Kind.STORAGE;
            case CorruptRecordException _, OffsetOutOfRangeException _ -> Kind.DAMAGED;
            case ConfigException e when isUnresolvable(e) -> Kind.UNREACHABLE;
            case ConfigException _ -> Kind.CONFIGURATION;
            case RetriableException _ -> Kind.UNREACHABLE;
            default -> Kind.REFUSED;
        };
    }

    private static String reason(Throwable cause) {
        return switch (cause) {
            case TimeoutException _ ->
                    "no answer in time (nobody listens there, or security settings are missing)";
            case AuthenticationException e -> "authentication failed: " + text(e);
            case AuthorizationException e -> "not authorized: " + text(e);
            case ConfigException e when isUnresolvable(e) -> "no host of that name";
            case UnsupportedVersionException e -> "the broker is too old: " + text(e);
            default -> text(cause);
        };
    }

    private static boolean isUnresolvable(ConfigException e) {
        return String.valueOf(e.getMessage()).contains("No resolvable bootstrap");
    }

    /// One line, whatever Kafka wrote.
    private static String text(Throwable cause) {
        String message = cause.getMessage();
        return message == null || message.isBlank()
                ? cause.getClass().getSimpleName()
                : message.lines().findFirst().orElse("").strip();
    }
}
