/// The hypervisor's choices as data: named, versioned, frozen, comparable field by field.
package trapline.engine.policy;
