/// KVM's vendor code for Intel: what it writes into the VMCS, when, and how it nests.
package trapline.engine.exit.vmx;
