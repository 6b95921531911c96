/// Tests of platforms and silicon.
package trapline.engine.cpu;
