/// Tests of files and what is wrong with them.
package trapline.engine.text;
