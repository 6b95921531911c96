package trapline.engine.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import trapline.engine.Reference;

/// The layouts of VMCS and VMCB, row by row against the sources' own.
class LayoutTest {

    /// Every field with full access is there, by the encoding, with name, width and kind; and no other.
    @Test
    void hasEveryVmcsField() {
        TreeSet<Integer> encodings = new TreeSet<>();
        for (SortedMap<String, String> row : Reference.rows("vmcs_fields.csv")) {
            if (!row.get("access").equals("full")) {
                assertFalse(Layout.VMCS.has(hex(row.get("encoding"))), row.toString());
                continue;
            }
            int encoding = hex(row.get("encoding"));
            encodings.add(encoding);
            Field field = Layout.VMCS.field(encoding);
            String linux = row.get("name_linux");
            if (!linux.isEmpty()) {
                assertEquals(linux, field.name());
            }
            String width = row.get("width");
            int bits = width.equals("natural") ? 64 : Integer.parseInt(width);
            assertEquals(bits, field.bits(), field.name());
            Field.Area area =
                    switch (encoding >>> 10 & 3) {
                        case 0 -> Field.Area.CONTROL;
                        case 1 -> Field.Area.EXIT_INFO;
                        case 2 -> Field.Area.GUEST;
                        default -> Field.Area.HOST;
                    };
            assertEquals(area, field.area(), field.name());
            assertEquals(
                    row.get("read_only").equals("yes"),
                    field.area() == Field.Area.EXIT_INFO,
                    field.name());
            Field.Shadow shadow =
                    switch (row.get("kvm_vmcs_shadow_class")) {
                        case "RO" -> Field.Shadow.READ;
                        case "RW" -> Field.Shadow.READ_WRITE;
                        default -> Field.Shadow.NONE;
                    };
            assertEquals(shadow, field.shadow(), field.name());
        }
        assertEquals(encodings.size(), Layout.VMCS.size());
        assertTrue(encodings.size() > 190, "rows of the reference: " + encodings.size());
    }

    /// The width is in the encoding too, in bits 14:13.
    @Test
    void encodingSaysTheWidth() {
        for (Field field : Layout.VMCS.fields()) {
            int[] bits = {16, 64, 32, 64};
            assertEquals(bits[field.id() >>> 13 & 3], field.bits(), field.name());
            assertEquals(0, field.id() & 1, field.name());
        }
    }

    /// Every word of the control area but the reserved ones, at its offset; arrays as one field for each element.
    @Test
    void hasEveryControlField() {
        NavigableMap<Integer, Integer> covered = covered(0, 0x400);
        for (SortedMap<String, String> row : Reference.rows("vmcb_control.csv")) {
            int offset = hex(row.get("offset"));
            int size = Integer.parseInt(row.get("size_bytes"));
            String name = row.get("name_7_1");
            if (name.startsWith("reserved")) {
                assertTrue(
                        covered.subMap(offset, offset + size).isEmpty(), name + " is not a field");
                continue;
            }
            checkRange(row, name, offset, size, covered);
            covered.subMap(offset, offset + size).clear();
        }
        assertTrue(covered.isEmpty(), "fields that the reference lacks: " + covered);
    }

    /// Every register of the save area; segments part by part.
    @Test
    void hasEverySaveField() {
        NavigableMap<Integer, Integer> covered = covered(0x400, 0x1000);
        for (SortedMap<String, String> row : Reference.rows("vmcb_save.csv")) {
            int offset = hex(row.get("offset_in_vmcb"));
            int size = Integer.parseInt(row.get("size_bytes"));
            String name = row.get("name");
            if (row.get("ctype").equals("vmcb_seg")) {
                for (int id : covered.subMap(offset, offset + size).keySet()) {
                    boolean moved = row.get("moved_by_vmload_vmsave").equals("yes");
                    assertEquals(moved, Layout.VMCB.field(id).vmload(), Layout.VMCB.name(id));
                }
                continue;
            }
            if (name.startsWith("reserved") || name.startsWith("pad")) {
                continue;
            }
            Field field = Layout.VMCB.field(offset);
            assertEquals(name, field.name());
            assertEquals(8 * size, field.bits(), name);
            checkClean(row, field);
            if (!row.get("moved_by_vmload_vmsave").isEmpty()) {
                assertEquals(row.get("moved_by_vmload_vmsave").equals("yes"), field.vmload(), name);
            }
            covered.remove(offset);
        }
        assertTrue(covered.isEmpty(), "fields that the reference lacks: " + covered);
    }

    private static NavigableMap<Integer, Integer> covered(int from, int to) {
        NavigableMap<Integer, Integer> covered = new TreeMap<>();
        for (Field field : Layout.VMCB.fields()) {
            if (field.id() >= from && field.id() < to) {
                covered.put(field.id(), field.bits() / 8);
            }
        }
        return covered;
    }

    private static void checkRange(
            SortedMap<String, String> row,
            String name,
            int offset,
            int size,
            NavigableMap<Integer, Integer> covered) {
        int bytes = 0;
        for (var part : covered.subMap(offset, offset + size).entrySet()) {
            Field field = Layout.VMCB.field(part.getKey());
            assertTrue(field.name().startsWith(name), field.name() + " is part of " + name);
            checkClean(row, field);
            bytes += part.getValue();
        }
        assertEquals(size, bytes, name);
    }

    private static void checkClean(SortedMap<String, String> row, Field field) {
        String clean = row.get("clean_bit");
        assertEquals(
                clean.isEmpty() ? -1 : Integer.parseInt(clean), field.cleanBit(), field.name());
    }

    /// No two fields share a byte.
    @Test
    void fieldsDoNotOverlap() {
        int end = 0;
        for (Field field : Layout.VMCB.fields()) {
            assertTrue(field.id() >= end, field.name());
            end = field.id() + field.bits() / 8;
        }
    }

    /// FACTS 6: 744 bytes of save area, spec_ctrl at 0x2e0 in it, ERAP control at 0x5d.
    @Test
    void knowsPlacesThatFactsName() {
        assertEquals(0x6e0, Layout.VMCB.named("spec_ctrl").id());
        assertEquals(0x5d, Layout.VMCB.named("erap_ctl").id());
        assertEquals(0x400 + 744, Layout.VMCB.named("spec_ctrl").id() + 8);
        assertEquals(0x202c, Layout.VMCS.named("XSS_EXIT_BITMAP").id());
        assertEquals(
                0x204a,
                Layout.VMCS.fields().stream()
                        .mapToInt(Field::id)
                        .filter(id -> id == 0x204a)
                        .findFirst()
                        .orElseThrow());
    }

    @Test
    void findsNamesInAnyCase() {
        assertEquals(Layout.VMCS.named("GUEST_RIP"), Layout.VMCS.find("guest_rip").orElseThrow());
        assertTrue(Layout.VMCS.find("guest_rip_").isEmpty());
        assertThrows(IllegalArgumentException.class, () -> Layout.VMCS.field(1));
        assertThrows(IllegalArgumentException.class, () -> Layout.VMCB.field(-1));
        assertThrows(IllegalArgumentException.class, () -> Layout.VMCB.field(0x7fff_ffff));
        assertEquals("0x1", Layout.VMCS.name(1));
    }

    private static int hex(String text) {
        return Integer.parseUnsignedInt(text.substring(2), 16);
    }
}
