/// The log itself: append, read, seek, catalogue, over Kafka or in a file.
package trapline.journal;
