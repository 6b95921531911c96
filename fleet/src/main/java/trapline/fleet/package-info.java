/// One log shared by many machines: what a worker does for it, on Kafka Streams.
package trapline.fleet;
