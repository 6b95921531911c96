/// Sessions as Avro container files: one file each, for mailing and for continuous integration.
package trapline.journal.file;
