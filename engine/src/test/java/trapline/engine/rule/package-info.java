/// Safety rules, each broken under one policy and kept under another.
package trapline.engine.rule;
