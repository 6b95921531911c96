/// Tests of cost profiles.
package trapline.engine.cost;
