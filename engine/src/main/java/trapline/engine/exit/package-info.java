/// The KVM-like hypervisor: phases, exit handlers and MSR emulation that both vendors share.
package trapline.engine.exit;
