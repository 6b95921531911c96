/// What is on the wire, held against Avro's own reading of the schemas.
package trapline.schemas;
