/// Executions into the log: a session from its header to its closing record.
package trapline.recorder;
