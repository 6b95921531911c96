package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.journal.JournalException.Kind;

/// What a user is told who names a log that is none.
class OpeningTest {

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    embeded:.trapline    | did you mean embedded?
                    kakfa:localhost:9092 | did you mean kafka?
                    localhost:9092       | did you mean kafka:localhost:9092?
                    ./run.avro           | did you mean file:./run.avro?
                    .trapline            | did you mean embedded:.trapline?
                    s3:bucket            | expected embedded:DIR, kafka:HOST:PORT[,…] or file:DIR
                    kafka:localhost      | expected HOST:PORT[,HOST:PORT…], found 'localhost'
                    kafka:a:1,b          | expected HOST:PORT[,HOST:PORT…], found 'b'
                    embedded:            | expected a folder after the colon
                    file:                | expected a folder or an .avro file after the colon
                    """)
    void namesWhatIsWrong(String name, String expected) {
        JournalException wrong = failure(name);
        assertEquals(Kind.CONFIGURATION, wrong.kind());
        assertTrue(wrong.getMessage().endsWith(expected), wrong.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    trapline.topic.prefx=x        | did you mean trapline.topic.prefix?
                    trapline.colour=red           | trapline.colour is not known
                    trapline.topic.partitions=0   | expected a number from 1 to 10000, found 0
                    trapline.topic.partitions=two | expected a number from 1 to 10000, found two
                    trapline.topic.prefix=a b     | found 'a b'
                    trapline.schema.registry.url=x | expected http://… or https://…, found 'x'
                    acks=1                        | acks=1 would break what Trapline promises; leave it out
                    enable.idempotence=false      | leave it out
                    group.id=x                    | group.id is Trapline's own to set; leave it out
                    sasl.mecanism=PLAIN           | did you mean sasl.mechanism?
                    """)
    void namesWhatIsWrongInTheSettings(String line, String expected) throws IOException {
        Path config = Files.writeString(folder.resolve("kafka.properties"), line);
        JournalException wrong =
                assertThrows(
                        JournalException.class,
                        () -> Journals.open("kafka:127.0.0.1:1", Optional.of(config)));
        assertEquals(Kind.CONFIGURATION, wrong.kind());
        assertTrue(wrong.getMessage().startsWith(config.toString()), wrong.getMessage());
        assertTrue(wrong.getMessage().endsWith(expected.strip()), wrong.getMessage());
    }

    @Test
    void settingsThatCannotBeReadAreNamed() {
        Path missing = folder.resolve("none.properties");
        JournalException wrong =
                assertThrows(
                        JournalException.class,
                        () -> Journals.open("kafka:127.0.0.1:1", Optional.of(missing)));
        assertEquals(missing + ": cannot be read: it does not exist", wrong.getMessage());
    }

    @Test
    void aBrokerThatIsNotThereIsUnreachable() {
        long begin = System.nanoTime();
        JournalException wrong = failure("kafka:127.0.0.1:1");
        assertEquals(Kind.UNREACHABLE, wrong.kind());
        assertTrue(System.nanoTime() - begin < 12_000_000_000L);
        assertEquals(Kind.UNREACHABLE, failure("kafka:no-such-host.invalid:9092").kind());
    }

    @Test
    void readingMakesNothing() {
        Path none = folder.resolve("none");
        for (String scheme : new String[] {"embedded:", "file:"}) {
            JournalException wrong =
                    assertThrows(
                            JournalException.class,
                            () -> Journals.openReadOnly(scheme + none, Optional.empty()));
            assertEquals(Kind.NO_LOG, wrong.kind());
            assertFalse(Files.exists(none));
        }
    }

    @Test
    void aFolderOfOtherThingsIsNoLog() throws IOException {
        Files.writeString(folder.resolve("thesis.tex"), "");
        JournalException wrong = failure("embedded:" + folder);
        assertEquals(Kind.CONFIGURATION, wrong.kind());
        assertEquals(
                folder + ": expected a Trapline log or an empty folder, found thesis.tex",
                wrong.getMessage());
    }

    @Test
    void aNewerFolderIsLeftAlone() throws IOException {
        Files.writeString(folder.resolve("log.properties"), "format=99");
        JournalException wrong = failure("embedded:" + folder);
        assertEquals(Kind.NEWER, wrong.kind());
    }

    @Test
    void aFolderThatCannotBeMadeIsStorage() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertEquals(Kind.STORAGE, failure("embedded:" + file.resolve("log")).kind());
    }

    private static JournalException failure(String name) {
        return assertThrows(
                JournalException.class, () -> Journals.open(name, Optional.empty()).close());
    }
}
