/// Tests of whole executions.
package trapline.engine.sim;
