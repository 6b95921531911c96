package trapline.engine.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Reference;
import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;

/// Numbers and names: exit reasons, controls, intercepts, MSRs.
class NumbersTest {

    @Test
    void namesVmxExits() {
        for (SortedMap<String, String> row : Reference.rows("vmx_exit_reasons.csv")) {
            long number = Long.parseLong(row.get("number"));
            String symbol = row.get("kvm_exit_trace_symbol");
            String expected =
                    !symbol.isEmpty()
                            ? symbol
                            : !row.get("name_linux").isEmpty()
                                    ? row.get("name_linux")
                                    : row.get("name_bochs");
            assertEquals(expected, ExitReasons.vmx(number), row.toString());
        }
        assertEquals("INVALID_STATE FAILED_VMENTRY", ExitReasons.vmx(0x8000_0021L));
        assertEquals("CPUID 0x40000000", ExitReasons.vmx(0x4000_000aL));
        assertEquals("0x999", ExitReasons.vmx(0x999));
    }

    @Test
    void namesSvmExits() {
        for (SortedMap<String, String> row : Reference.rows("svm_exit_codes.csv")) {
            long code = Long.parseUnsignedLong(row.get("hex").substring(2), 16);
            String symbol = row.get("kvm_exit_trace_symbol");
            if (!symbol.isEmpty()) {
                assertEquals(symbol, ExitReasons.svm(code));
            }
        }
        assertEquals("UD excp", ExitReasons.svm(0x46));
        assertEquals("0x999", ExitReasons.svm(0x999));
    }

    @Test
    void knowsControlsByMask() {
        for (SortedMap<String, String> row : Reference.rows("vmx_controls.csv")) {
            String name = row.get("name").replace("(not in Linux 7.1.5) ", "");
            long mask = Long.parseLong(row.get("mask").substring(2), 16);
            assertEquals(mask, Bits.controls(row.get("group")).get(name), name);
            assertEquals(1L << Integer.parseInt(row.get("bit")), mask, name);
        }
    }

    @Test
    void knowsInterceptsByPlace() {
        TreeMap<String, String> places = new TreeMap<>();
        for (SortedMap<String, String> row : Reference.rows("svm_intercepts.csv")) {
            Bits.Intercept intercept = Bits.intercept(row.get("name"));
            int offset = Integer.parseInt(row.get("byte_offset_in_control").substring(2), 16);
            assertEquals(offset, intercept.offset(), row.get("name"));
            assertEquals(Long.parseLong(row.get("mask").substring(2), 16), intercept.mask());
            places.put(offset + ":" + row.get("bit"), row.get("name"));
        }
        assertEquals(places.size(), Bits.interceptNames().size());
    }

    @ParameterizedTest
    @CsvSource({
        "IA32_SPEC_CTRL, 0x48",
        "ia32_spec_ctrl, 0x48",
        "MSR_IA32_SPEC_CTRL, 0x48",
        "SPEC_CTRL, 0x48",
        "0x48, 0x48",
        "72, 0x48",
        "010, 0xa",
        "MTRRcap, 0xfe",
        "mtrrCAP, 0xfe",
        "FS_BASE, 0xc0000100",
        "0xC0000100, 0xc0000100",
        "0xffffffff, 0xffffffff"
    })
    void readsMsrs(String text, String index) {
        assertEquals(
                OptionalInt.of(Integer.parseUnsignedInt(index.substring(2), 16)), Msrs.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-1",
                "0x100000000",
                "0x",
                "4294967296",
                "SPEC",
                "1x",
                "0x-1",
                " ",
                "MSR_",
                "IA32_"
            })
    void refusesWhatIsNoMsr(String text) {
        assertEquals(OptionalInt.empty(), Msrs.parse(text));
    }

    /// One canonical name for each index; every name leads back to it.
    @Test
    void canonicalNamesLeadBack() {
        for (String name : Msrs.names()) {
            int index = Msrs.parse(name).orElseThrow();
            assertEquals(name, Msrs.name(index));
        }
        assertEquals("0x1234567", Msrs.name(0x1234567));
        assertTrue(Msrs.names().size() > 500);
    }

    @Test
    void describesBits() {
        assertEquals("IBRS|SSBD", Bits.describe(0x48, 5));
        assertEquals("", Bits.describe(0x48, 0));
        assertEquals("IBRS|bit 63", Bits.describe(0x48, 0x8000_0000_0000_0001L));
        // FACTS 1.1: all features of Intel's.
        long all = 0;
        for (String name :
                new String[] {
                    "IBRS",
                    "STIBP",
                    "SSBD",
                    "IPRED_DIS_U",
                    "IPRED_DIS_S",
                    "RRSBA_DIS_U",
                    "RRSBA_DIS_S",
                    "PSFD",
                    "DDPD_U",
                    "BHI_DIS_S"
                }) {
            all |= Bits.msrBit(0x48, name);
        }
        assertEquals(0x5ff, all);
    }

    /// Lengths by opcode: 0F A2, F4, 0F 01 D9 …
    @Test
    void knowsLengths() {
        assertEquals(2, Instructions.CPUID);
        assertEquals(1, Instructions.HLT);
        assertEquals(2, Instructions.WRMSR);
        assertEquals(3, Instructions.VMCALL);
        assertEquals(8, VmInstruction.values().length);
        assertEquals(3, EntryInstruction.values().length);
    }
}
