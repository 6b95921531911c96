/// Safety rules: what has to hold whatever the policy, judged on every execution.
package trapline.engine.rule;
