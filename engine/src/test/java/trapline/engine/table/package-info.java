/// Tests of the tables.
package trapline.engine.table;
