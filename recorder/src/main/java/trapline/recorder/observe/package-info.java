/// Traces of real hosts as events: which thread is which vCPU of which VM, and sessions of what was observed.
package trapline.recorder.observe;
