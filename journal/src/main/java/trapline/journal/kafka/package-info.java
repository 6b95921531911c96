/// The log in Kafka: topics, catalogue, recording and reading through the plain clients.
package trapline.journal.kafka;
