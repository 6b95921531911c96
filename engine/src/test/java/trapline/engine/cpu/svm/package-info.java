/// Tests of the AMD processor.
package trapline.engine.cpu.svm;
