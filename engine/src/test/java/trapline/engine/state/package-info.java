/// Tests of the state and its fold.
package trapline.engine.state;
