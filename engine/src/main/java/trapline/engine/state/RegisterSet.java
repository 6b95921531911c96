package trapline.engine.state;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Reg;
import trapline.engine.table.Field;

/// The registers that one hardware transition stores into a control structure.
///
/// @param low one bit for each of the first 64 registers
/// @param high the same for the rest
/// @param registers the same set, in the order in which the log lists them
public record RegisterSet(long low, long high, List<Reg> registers) {

    /// What a VM exit stores: SPEC_CTRL on SVM and CET state only where the processor switches it.
    public static RegisterSet atExit(Vendor vendor, boolean vSpecCtrl, boolean cet) {
        List<Reg> registers = new ArrayList<>();
        for (Reg register : Reg.values()) {
            Field field = RegisterMap.of(vendor).field(register);
            boolean switched =
                    switch (register) {
                        case SPEC_CTRL -> vSpecCtrl;
                        case S_CET, SSP, INT_SSP_TAB -> cet;
                        default -> true;
                    };
            if (field != null && !field.vmload() && switched) {
                registers.add(register);
            }
        }
        return of(registers);
    }

    /// What VMSAVE stores.
    public static RegisterSet atVmsave() {
        List<Reg> registers = new ArrayList<>();
        for (Reg register : Reg.values()) {
            Field field = RegisterMap.of(Vendor.SVM).field(register);
            if (field != null && field.vmload()) {
                registers.add(register);
            }
        }
        return of(registers);
    }

    public boolean contains(Reg register) {
        int number = register.ordinal();
        return ((number < 64 ? low : high) >>> number & 1) != 0;
    }

    private static RegisterSet of(List<Reg> registers) {
        long low = 0;
        long high = 0;
        for (Reg register : registers) {
            if (register.ordinal() < 64) {
                low |= 1L << register.ordinal();
            } else {
                high |= 1L << register.ordinal();
            }
        }
        return new RegisterSet(low, high, List.copyOf(registers));
    }
}
