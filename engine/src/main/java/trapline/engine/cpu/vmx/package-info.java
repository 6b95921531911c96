/// Intel VMX as the processor does it (SDM vol. 3C), at VM entry, in the guest and at VM exit.
package trapline.engine.cpu.vmx;
