package trapline.engine.cpu.vmx;

import java.util.List;
import java.util.function.Predicate;
import trapline.engine.cpu.Platform;
import trapline.engine.state.Image;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;

/// Which control bits a processor lets software set, and which it insists on (its capability MSRs).
public final class AllowedControls {

    private final List<Group> groups;

    public AllowedControls(Platform platform) {
        groups =
                List.of(
                        group(platform, "pin", "pin-based-controls", Vmcs.PIN_BASED, 0x16, null),
                        group(
                                platform,
                                "primary",
                                "primary-controls",
                                Vmcs.PRIMARY,
                                0x0400_6172,
                                null),
                        group(
                                platform,
                                "secondary",
                                "secondary-controls",
                                Vmcs.SECONDARY,
                                0,
                                v -> v.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_SECONDARY)),
                        group(
                                platform,
                                "tertiary",
                                "tertiary-controls",
                                Vmcs.TERTIARY,
                                0,
                                v -> v.has(Vmcs.PRIMARY, Vmcs.ACTIVATE_TERTIARY)),
                        group(
                                platform,
                                "vm-exit",
                                "exit-controls",
                                Vmcs.EXIT_CONTROLS,
                                0x3_6dfb,
                                null),
                        group(
                                platform,
                                "vm-entry",
                                "entry-controls",
                                Vmcs.ENTRY_CONTROLS,
                                0x11fb,
                                null));
    }

    public List<Group> groups() {
        return groups;
    }

    /// The bits of `wanted` that this processor lets software set, with those that it insists on.
    public long adjust(Field field, long wanted) {
        for (Group group : groups) {
            if (group.field().equals(field)) {
                return (wanted & group.allowed()) | group.required();
            }
        }
        throw new IllegalArgumentException(field + " is not a field of controls");
    }

    private static Group group(
            Platform platform,
            String table,
            String name,
            Field field,
            long required,
            Predicate<Image> active) {
        long allowed = required;
        for (var control : Bits.controls(table).entrySet()) {
            if (platform.controls().contains(control.getKey())) {
                allowed |= control.getValue();
            }
        }
        return new Group(name, field, required, allowed, active == null ? _ -> true : active);
    }

    /// One field of controls.
    ///
    /// @param required bits that must be 1 (their TRUE capability MSR's low half)
    /// @param allowed bits that may be 1
    /// @param active whether the field counts at all
    public record Group(
            String name, Field field, long required, long allowed, Predicate<Image> active) {

        boolean allows(Image vmcs) {
            long value = vmcs.get(field);
            return !active.test(vmcs)
                    || ((value & required) == required && (value & ~allowed) == 0);
        }
    }
}
