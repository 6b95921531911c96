/// Looking at one session: its places, their state, the way from one to another, and pictures of it.
package trapline.replayer.explore;
