/// KVM's vendor code for AMD: what it writes into the VMCB, when, and how it nests.
package trapline.engine.exit.svm;
