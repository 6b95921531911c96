/// Windowed statistics of exits, counted exactly once.
package trapline.fleet.statistics;
