/// The machine as its events left it; live engine and replayer share this fold.
package trapline.engine.state;
