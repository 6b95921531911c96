package trapline.fleet;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Optional;
import trapline.fleet.statistics.Statistics;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.kafka.KafkaJournal;
import trapline.journal.kafka.KafkaSite;

/// One of any number of processes that share what is to be done for a log.
public final class Worker implements AutoCloseable {

    private final Statistics statistics;
    private final Answers answers;

    /// Starts a worker on a log in Kafka, which must stay open meanwhile.
    ///
    /// @param listen where it answers questions; a port of 0 is any that is free
    /// @param threads how many partitions it counts at once
    public Worker(Journal journal, InetSocketAddress listen, int threads) {
        KafkaSite site = site(journal);
        answers = new Answers(listen);
        try {
            statistics = new Statistics(site, answers.address(), threads);
        } catch (RuntimeException e) {
            answers.close();
            throw e;
        }
        answers.start(statistics);
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

    public Statistics statistics() {
        return statistics;
    }

    /// Why it works no more, if it does not.
    public Optional<JournalException> failure() {
        return statistics.failure();
    }

    @Override
    public void close() {
        answers.close();
        statistics.close();
    }
}
