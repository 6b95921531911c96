/// Tests of the Intel processor.
package trapline.engine.cpu.vmx;
