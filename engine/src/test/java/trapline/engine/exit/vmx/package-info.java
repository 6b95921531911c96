/// Tests of KVM's vendor code, seen in the events.
package trapline.engine.exit.vmx;
