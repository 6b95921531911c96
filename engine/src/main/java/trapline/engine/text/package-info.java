/// Text that users write: YAML with the place of everything in it, and errors that name it.
package trapline.engine.text;
