/// What runs: scenarios and logs, each a stream of guest ops and of inputs between them.
package trapline.engine.guest;
