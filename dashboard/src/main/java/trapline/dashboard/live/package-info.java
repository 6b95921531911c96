/// Exits as they come: counted by session and window, and told to viewers.
package trapline.dashboard.live;
