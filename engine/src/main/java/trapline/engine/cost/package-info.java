/// What actions cost: figures with their sources, projected over events and never stored in them.
package trapline.engine.cost;
