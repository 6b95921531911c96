/// The log into state and answers: rebuild, verify, diversion, diff, statistics.
package trapline.replayer;
