/// Tests of policies.
package trapline.engine.policy;
