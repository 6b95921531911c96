/// Files that several processes share: who holds them, how they are replaced, what went wrong.
package trapline.journal.disk;
