/// The simulated machine: pure and deterministic, seed and inputs in, events out.
package trapline.engine;
