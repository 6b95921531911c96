/// The command line: a class per subcommand, and the one place that prints errors and exits.
package trapline.cli;
