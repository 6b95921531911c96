/// The texts of KVM's tracepoints: read into [trapline.engine.event.TraceFields], and printed as a tree prints them.
package trapline.engine.trace;
