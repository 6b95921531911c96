/// What people look at rather than read: pages drawn from the replayer's results.
package trapline.dashboard;
