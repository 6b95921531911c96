/// AMD SVM as the processor does it (APM vol. 2, Secure Virtual Machine): VMRUN, the guest, #VMEXIT.
package trapline.engine.cpu.svm;
