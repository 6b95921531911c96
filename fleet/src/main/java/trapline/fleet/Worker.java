package trapline.fleet;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Optional;
import trapline.fleet.diff.Diffs;
import trapline.fleet.diff.Evaluator;
import trapline.fleet.diff.SessionDiff;
import trapline.fleet.statistics.Statistics;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.kafka.KafkaJournal;
import trapline.journal.kafka.KafkaSite;

/// One of any number of processes that share what is to be done for a log.
public final class Worker implements AutoCloseable {

    private final Optional<Statistics> statistics;
    private final Optional<Diffs> diffs;
    private final Answers answers;

    /// Starts a worker on a log in Kafka, which must stay open meanwhile.
    ///
    public static Worker start(Journal journal, Plan plan) {
        return start(journal, plan, new SessionDiff(journal));
    }

    /// With another way to evaluate tasks.
    static Worker start(Journal journal, Plan plan, Evaluator evaluator) {
        return new Worker(site(journal), plan, evaluator);
    }

    /// What a worker does.
    ///
    /// @param listen where it answers questions; a port of 0 is any that is free
    /// @param threads how many partitions it counts at once; 0 if it counts none
    /// @param parallel how many sessions it evaluates at once; 0 if it evaluates none
    public record Plan(InetSocketAddress listen, int threads, int parallel) {}

    private Worker(KafkaSite site, Plan plan, Evaluator evaluator) {
        answers = new Answers(plan.listen());
        try {
            statistics =
                    plan.threads() == 0
                            ? Optional.empty()
                            : Optional.of(
                                    new Statistics(site, answers.advertised(), plan.threads()));
        } catch (RuntimeException e) {
            answers.close();
            throw e;
        }
        try {
            diffs =
                    plan.parallel() == 0
                            ? Optional.empty()
                            : Optional.of(new Diffs(site, evaluator, plan.parallel()));
        } catch (RuntimeException e) {
            statistics.ifPresent(Statistics::close);
            answers.close();
            throw e;
        }
        answers.start(statistics, diffs);
    }

    static KafkaSite site(Journal journal) {
        if (journal instanceof KafkaJournal kafka) {
            return kafka.site();
        }
        throw new JournalException(
                Kind.CONFIGURATION,
                journal.location(),
                "workers share a log in Kafka, which a file is not");
    }

    /// Where it answers.
    public URI address() {
        return answers.address();
    }

    public Optional<Statistics> statistics() {
        return statistics;
    }

    public Optional<Diffs> diffs() {
        return diffs;
    }

    /// Why it works no more, if it does not.
    public Optional<JournalException> failure() {
        return statistics.flatMap(Statistics::failure).or(() -> diffs.flatMap(Diffs::failure));
    }

    @Override
    public void close() {
        answers.close();
        diffs.ifPresent(Diffs::close);
        statistics.ifPresent(Statistics::close);
    }
}
