/// What every kind of log knows of a session: its name, its contents in pieces, its checkpoints in
/// pages.
package trapline.journal.session;
