package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.RecordConsumer;
import trapline.replayer.EventFields;

/// A Parquet file: a row for each event, typed columns for what one asks for, JSON for the rest.
///
/// Row groups are small, so that they fit in any heap. Parquet's library is used without Hadoop, which its
/// signatures name and nothing here calls.
final class ParquetExporter implements Exporter {

    private static final long GROUP_BYTES = 16L << 20;
    private static final int PAGE_BYTES = 256 << 10;

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        EventFields fields = new EventFields(what.session().vendor());
        Map<String, String> about =
                Map.of(
                        "trapline.session", what.session().name(),
                        "trapline.guest", what.session().header().guest().name());
        try (ParquetWriter<Map<String, Object>> writer =
                new Builder(new Stream(out), about)
                        .withConf(new PlainParquetConfiguration())
                        .withCodecFactory(new ZstdPages())
                        .withCompressionCodec(CompressionCodecName.ZSTD)
                        .withRowGroupSize(GROUP_BYTES)
                        .withPageSize(PAGE_BYTES)
                        .build()) {
            return what.each(envelope -> writer.write(fields.row(envelope)));
        }
    }

    private static final class Builder extends ParquetWriter.Builder<Map<String, Object>, Builder> {

        private final Map<String, String> about;

        Builder(OutputFile file, Map<String, String> about) {
            super(file);
            this.about = about;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        @SuppressWarnings("deprecation") // abstract all the same
        protected WriteSupport<Map<String, Object>> getWriteSupport(Configuration hadoop) {
            throw new IllegalStateException("without Hadoop");
        }

        @Override
        protected WriteSupport<Map<String, Object>> getWriteSupport(ParquetConfiguration plain) {
            return new Rows(about);
        }
    }

    private static final class Rows extends WriteSupport<Map<String, Object>> {

        private final Map<String, String> about;
        private RecordConsumer consumer;

        Rows(Map<String, String> about) {
            this.about = about;
        }

        @Override
        @SuppressWarnings("deprecation") // abstract all the same
        public WriteContext init(Configuration hadoop) {
            throw new IllegalStateException("without Hadoop");
        }

        @Override
        public WriteContext init(ParquetConfiguration plain) {
            return new WriteContext(EventColumns.SCHEMA, about);
        }

        @Override
        public void prepareForWrite(RecordConsumer given) {
            consumer = given;
        }

        @Override
        public void write(Map<String, Object> row) {
            EventColumns.write(row, consumer);
        }
    }

    /// What Parquet takes for a file: it never goes back.
    private record Stream(OutputStream out) implements OutputFile {

        @Override
        public PositionOutputStream create(long blockSize) {
            return new Counting(out);
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSize) {
            return new Counting(out);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }

    private static final class Counting extends PositionOutputStream {

        private final OutputStream out;
        private long position;

        Counting(OutputStream out) {
            this.out = out;
        }

        @Override
        public long getPos() {
            return position;
        }

        @Override
        public void write(int single) throws IOException {
            out.write(single);
            position++;
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
            position += length;
        }

        /// The stream belongs to whoever opened it.
        @Override
        public void close() throws IOException {
            out.flush();
        }
    }
}
