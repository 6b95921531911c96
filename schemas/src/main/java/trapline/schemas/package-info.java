/// All that both sides of the wire agree on: schemas, codecs, topic names.
package trapline.schemas;
