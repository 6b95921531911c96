package trapline.engine.cpu;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// The bits of IA32_ARCH_CAPABILITIES, by Linux's names and QEMU's properties.
public final class ArchCapabilities {

    public static final long IBRS_ALL = Bits.msrBit(Msrs.ARCH_CAPABILITIES, "IBRS_ALL");

    /// The guest has the virtual MSRs of mitigations: nobody's silicon, Intel's definition (FACTS 2.4).
    public static final long VIRTUAL_ENUM = Bits.msrBit(Msrs.ARCH_CAPABILITIES, "VIRTUAL_ENUM");

    private static final String VIRTUAL_ENUM_PROPERTY = "virtual-enum";

    /// What KVM hands on from the host (`kvm_get_arch_capabilities`, 7.1).
    private static final List<String> OFFERED =
            List.of(
                    "RDCL_NO",
                    "IBRS_ALL",
                    "RSBA",
                    "SKIP_VMENTRY_L1DFLUSH",
                    "SSB_NO",
                    "MDS_NO",
                    "PSCHANGE_MC_NO",
                    "TSX_CTRL_MSR",
                    "TAA_NO",
                    "SBDR_SSDP_NO",
                    "FBSDP_NO",
                    "PSDP_NO",
                    "FB_CLEAR",
                    "RRSBA",
                    "PBRSB_NO",
                    "GDS_NO",
                    "RFDS_NO",
                    "RFDS_CLEAR",
                    "BHI_NO",
                    "ITS_NO");

    private ArchCapabilities() {}

    /// The value that KVM offers on this host: its own, masked, and what it always adds.
    public static long offered(long host) {
        long mask = 0;
        for (String name : OFFERED) {
            mask |= Bits.msrBit(Msrs.ARCH_CAPABILITIES, name);
        }
        return (host & mask)
                | Bits.msrBit(Msrs.ARCH_CAPABILITIES, "PSCHANGE_MC_NO")
                | Bits.msrBit(Msrs.ARCH_CAPABILITIES, "SKIP_VMENTRY_L1DFLUSH");
    }

    /// The bit of a QEMU property, or 0.
    public static long property(String property) {
        if (VIRTUAL_ENUM_PROPERTY.equals(property.toLowerCase(Locale.ROOT))) {
            return VIRTUAL_ENUM;
        }
        for (String name : OFFERED) {
            if (qemu(name).equals(property.toLowerCase(Locale.ROOT))) {
                return Bits.msrBit(Msrs.ARCH_CAPABILITIES, name);
            }
        }
        return 0;
    }

    public static Collection<String> properties() {
        return Stream.concat(
                        OFFERED.stream().map(ArchCapabilities::qemu),
                        Stream.of(VIRTUAL_ENUM_PROPERTY))
                .toList();
    }

    private static String qemu(String name) {
        return switch (name) {
            case "RDCL_NO" -> "rdctl-no";
            case "SKIP_VMENTRY_L1DFLUSH" -> "skip-l1dfl-vmentry";
            case "TSX_CTRL_MSR" -> "tsx-ctrl";
            default -> name.toLowerCase(Locale.ROOT).replace('_', '-');
        };
    }
}
