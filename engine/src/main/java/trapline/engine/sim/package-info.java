/// The loop: run to exit, decide, apply each event, hand it to the sink.
package trapline.engine.sim;
