/// A candidate policy over many sessions: submitted, shared out, evaluated, summed up.
package trapline.fleet.diff;
