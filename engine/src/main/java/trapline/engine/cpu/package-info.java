/// The virtualization hardware: what an op does with these controls and bitmaps, and nothing of policy.
package trapline.engine.cpu;
