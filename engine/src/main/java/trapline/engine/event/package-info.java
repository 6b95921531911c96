/// Immutable facts about one vCPU: the only record of an execution.
package trapline.engine.event;
