/// The embedded broker: a real Kafka of one node, in the process that came to its folder first.
package trapline.journal.broker;
