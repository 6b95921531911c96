package trapline.engine.cpu;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Mapping;

/// A platform's return-address predictor: its size, and what no source says of it and is assumed.
///
/// @param entries how many there are where nothing limits it (CPUID 0x80000021 EBX[23:16])
/// @param tlbControlClears whether TLB_CONTROL at VMRUN clears it
/// @param vmrunResetsClear whether VMRUN itself takes CLEAR_RAP out of the VMCB
/// @param ibpbClears whether IBPB clears it
/// @param taskSwitchClears whether another process ran where a vCPU was preempted, whose CR3 cleared it
public record ReturnPredictor(
        int entries,
        boolean tlbControlClears,
        boolean vmrunResetsClear,
        boolean ibpbClears,
        boolean taskSwitchClears) {

    private static final String ENTRIES = "return-address-predictor";
    private static final String TLB_CONTROL = "tlb-control-clears-rap";
    private static final String VMRUN = "vmrun-resets-clear-rap";
    private static final String IBPB = "ibpb-clears-rap";
    private static final String TASK_SWITCH = "task-switch-clears-rap";

    /// What users may assume otherwise, `--cpu NAME,PROPERTY=true`.
    static final List<String> PROPERTIES = List.of(TLB_CONTROL, VMRUN, IBPB, TASK_SWITCH);

    /// All keys of a platform that are read here.
    static final List<String> KEYS = List.of(ENTRIES, TLB_CONTROL, VMRUN, IBPB, TASK_SWITCH);

    private static final int LEAST = 32;
    private static final int MOST = 255;

    static ReturnPredictor read(Mapping platform) {
        return new ReturnPredictor(
                platform.find(ENTRIES).map(n -> (int) n.number(LEAST, MOST)).orElse(LEAST),
                flag(platform, TLB_CONTROL, false),
                flag(platform, VMRUN, false),
                flag(platform, IBPB, true),
                flag(platform, TASK_SWITCH, true));
    }

    private static boolean flag(Mapping platform, String key, boolean assumed) {
        Optional<Node> node = platform.find(key);
        return node.isPresent() ? node.get().bool() : assumed;
    }

    /// What is assumed, as users set it.
    public String assumptions() {
        return "%s=%s, %s=%s, %s=%s, %s=%s"
                .formatted(
                        TLB_CONTROL,
                        tlbControlClears,
                        VMRUN,
                        vmrunResetsClear,
                        IBPB,
                        ibpbClears,
                        TASK_SWITCH,
                        taskSwitchClears);
    }
}
