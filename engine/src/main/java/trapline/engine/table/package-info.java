/// The names and numbers of the manuals and of KVM, loaded once from the tables among the resources.
package trapline.engine.table;
