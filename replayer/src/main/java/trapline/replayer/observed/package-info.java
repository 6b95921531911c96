/// What a trace of a real host says of its guest: the ops behind its exits, and how a model's exits compare.
package trapline.replayer.observed;
