package trapline.engine.table;

/// One field of a VMCS or a VMCB.
///
/// @param ordinal its dense number in its [Layout]
/// @param id VMCS encoding or VMCB offset: how events and manuals name it
/// @param name Linux's name, else Bochs's
/// @param bits its width; natural-width fields have 64
/// @param area what it holds
/// @param shadow how KVM's shadow VMCS treats it; VMX only
/// @param cleanBit the VMCB clean bit that covers it, or -1; SVM only
/// @param vmload whether VMLOAD and VMSAVE move it; SVM only
public record Field(
        int ordinal,
        int id,
        String name,
        int bits,
        Area area,
        Shadow shadow,
        int cleanBit,
        boolean vmload) {

    public enum Area {
        CONTROL,
        EXIT_INFO,
        GUEST,
        HOST
    }

    /// Whether L1 reads and writes the field without an exit when a shadow VMCS is in use.
    public enum Shadow {
        NONE,
        READ,
        READ_WRITE
    }

    /// The bits of a value that the field can hold.
    public long mask() {
        return bits == 64 ? -1L : (1L << bits) - 1;
    }

    @Override
    public String toString() {
        return name;
    }
}
