/// Tests of the engine as a whole, and what the tests of its packages share.
package trapline.engine;
