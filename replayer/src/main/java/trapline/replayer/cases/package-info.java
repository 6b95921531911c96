/// Questions with the executions that answer them.
package trapline.replayer.cases;
