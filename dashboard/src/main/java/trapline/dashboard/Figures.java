package trapline.dashboard;

/// The figures of a cost profile in words that fit into "where … costs under 73 cycles".
final class Figures {

    private Figures() {}

    static String words(String key) {
        int dot = key.indexOf('.');
        String action = dot < 0 ? key : key.substring(0, dot);
        String circumstance = dot < 0 ? "" : key.substring(dot + 1);
        return switch (action) {
            case "exit" -> "a VM exit with its entry";
            case "handler" ->
                    circumstance.isEmpty()
                            ? "handling an exit"
                            : "handling an exit of reason " + circumstance;
            case "host-rdmsr" -> "a host RDMSR" + access(circumstance);
            case "host-wrmsr" -> "a host WRMSR" + access(circumstance);
            case "field-write" -> "a write to a field of the VMCS or VMCB";
            case "msr-bitmap-write" -> "a change of the MSR bitmap";
            case "userspace" -> "an exit to userspace";
            case "vcpu-load" -> "loading the vCPU";
            case "vcpu-put" -> "putting the vCPU";
            case "vmread" -> "a VMREAD";
            case "vmsave" -> "a VMSAVE";
            case "vmload" -> "a VMLOAD";
            case "wrgsbase" -> "a WRGSBASE";
            case "tr-reload" -> "reloading the task register";
            case "segment-load" -> "loading a segment register";
            case "nested-entry" -> "a nested entry";
            case "rap-flush" -> "a flush of the return-address predictor at VMRUN";
            case "nested-exit" -> "an exit reflected to L1";
            default -> key;
        };
    }

    /// An MSR, a cause, or a cause and an MSR; causes begin in lower case.
    private static String access(String circumstance) {
        if (circumstance.isEmpty()) {
            return "";
        }
        int dot = circumstance.indexOf('.');
        if (dot >= 0) {
            return access(circumstance.substring(dot + 1)) + access(circumstance.substring(0, dot));
        }
        return (Character.isLowerCase(circumstance.charAt(0)) ? " for " : " of ") + circumstance;
    }
}
