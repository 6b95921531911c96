/// Two sessions of the model's side by side: the first event at which they part.
package trapline.replayer.parting;
