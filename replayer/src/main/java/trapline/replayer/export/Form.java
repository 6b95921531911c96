package trapline.replayer.export;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Suggestion;

/// The forms that there are.
public enum Form {
    JSON("one JSON object a line, as 'events --format json' prints them", JsonExporter::new),
    CSV("a table with a header, RFC 4180", CsvExporter::new),
    AVRO(
            "the session itself as an Avro container file, which 'file:' logs hold",
            AvroExporter::new),
    PARQUET("a Parquet file: typed columns, zstd, a row for each event", ParquetExporter::new),
    PERFETTO(
            "a timeline in protocol buffers, for ui.perfetto.dev and the trace processor",
            () -> new TimelineExporter(PerfettoTimeline::new)),
    CHROME(
            "the same timeline in JSON, for chrome://tracing, ui.perfetto.dev and speedscope",
            () -> new TimelineExporter(ChromeTimeline::new)),
    FOLDED("folded stacks of exits, for flame graphs", FoldedExporter::new),
    FTRACE("the text that ftrace prints, which 'import' reads", FtraceExporter::new);

    private final String summary;
    private final Supplier<Exporter> exporter;

    Form(String summary, Supplier<Exporter> exporter) {
        this.summary = summary;
        this.exporter = exporter;
    }

    /// The form that a user names.
    public static Form named(String text) {
        return Arrays.stream(values())
                .filter(form -> form.word().equals(text))
                .findFirst()
                .orElseThrow(() ->
                        new InputException(
                                Kind.UNKNOWN_NAME,
                                "",
                                "unknown form '%s'%s"
                                        .formatted(
                                                text, Suggestion.orAll(text, "forms", names()))));
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(Form::word).toList();
    }

    /// Its name, as users write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public String summary() {
        return summary;
    }

    /// Whether it holds sessions only, no selection of events.
    public boolean whole() {
        return this == AVRO;
    }

    /// Whether it is text that a terminal may show.
    public boolean text() {
        return this != AVRO && this != PARQUET && this != PERFETTO;
    }

    public Exporter exporter() {
        return exporter.get();
    }
}
