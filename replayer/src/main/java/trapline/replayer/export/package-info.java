/// Sessions in the forms that other tools open: one class for each form.
package trapline.replayer.export;
