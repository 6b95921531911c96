/// Tests of the hypervisor: what it decides, seen in the events.
package trapline.engine.exit;
