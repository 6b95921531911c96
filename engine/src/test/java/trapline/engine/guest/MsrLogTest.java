package trapline.engine.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.engine.Bad.impossible;
import static trapline.engine.Bad.syntax;

import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;
import trapline.engine.guest.MsrLog.Malformed;
import trapline.engine.state.Vendor;

/// Logs of MSR accesses: what is read, and what is left out and told.
class MsrLogTest {

    private static final String GOOD = "1 0.5 vcpu0 wrmsr 0x48 0x1 ffffffff81000010 a+0x1\n";

    /// A line that is no access is left out and told, with its number.
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "3 0.5 vcpu0 wrm ~ SEQ SECONDS vcpuN rdmsr|wrmsr INDEX VALUE RIP, found a line with 4 fields",
                "3 0.5 vcpu0 wrmsr 0x48 0x1 ~ SEQ SECONDS vcpuN rdmsr|wrmsr INDEX VALUE RIP, found a line with 6 fields",
                "3 0.5 cpu0 wrmsr 0x48 0x1 ff a ~ vcpuN, found 'cpu0'",
                "3 0.5 vcpu wrmsr 0x48 0x1 ff a ~ vcpuN, found 'vcpu'",
                "3 0.5 vcpu1024 wrmsr 0x48 0x1 ff a ~ a vCPU below 1024, found 'vcpu1024'",
                "3 0.5 vcpu99999 wrmsr 0x48 0x1 ff a ~ vcpuN, found 'vcpu99999'",
                "3 0.5 vcpu0 cpuid 0x48 0x1 ff a ~ rdmsr or wrmsr, found 'cpuid'",
                "3 0.5 vcpu0 wrmsr 0xzz 0x1 ff a ~ a hexadecimal number of 32 bits, found '0xzz'",
                "3 0.5 vcpu0 wrmsr 48 0x1 ff a ~ a hexadecimal number of 32 bits, found '48'",
                "3 0.5 vcpu0 wrmsr 0x 0x1 ff a ~ a hexadecimal number of 32 bits, found '0x'",
                "3 0.5 vcpu0 wrmsr 0x123456789 0x1 ff a ~ a hexadecimal number of 32 bits, found '0x123456789'",
                "3 0.5 vcpu0 wrmsr 0x48 0x11112222333344445 ff a ~ a hexadecimal number of 64 bits, found '0x11112222333344445'",
                "3 0.5 vcpu0 wrmsr 0x48 -1 ff a ~ a hexadecimal number of 64 bits, found '-1'",
                "3 0.5 vcpu0 wrmsr 0x48 0x1 xyz a ~ a hexadecimal number of 64 bits, found 'xyz'",
                "3 0.5 vcpu0 wrmsr 0x48 0x1 0xff a ~ a hexadecimal number of 64 bits, found '0xff'"
            })
    void leavesOutWhatIsNoAccess(String line, String expected) {
        MsrLog log = MsrLog.parse(GOOD + "# comment\n\n" + line + "\n" + GOOD, "l.log");
        assertEquals(2, log.accesses());
        assertEquals(1, log.vcpus());
        assertEquals(new Malformed(1, "l.log:4: expected " + expected), log.malformed());
    }

    @Test
    void countsAllAndTellsTheFirst() {
        MsrLog log = MsrLog.parse(GOOD.repeat(3) + "x\ny z\n", "l.log");
        assertEquals(2, log.malformed().lines());
        assertTrue(log.malformed().first().startsWith("l.log:4: "), log.malformed().first());
    }

    /// Symbols and callers are optional, lines may end in any way, and every bit of a number counts.
    @ParameterizedTest
    @CsvSource({
        "1 0 vcpu0 wrmsr 0x48 0x1 ff",
        "'1 0 vcpu0 rdmsr 0xffffffff 0xffffffffffffffff ffffffffffffffff a+0x1 caller b+0x2\r'",
        "'  1 0 vcpu1023 wrmsr 0xABCD 0xabcdef FF a'"
    })
    void reads(String line) {
        MsrLog log = MsrLog.parse(line + "\n", "l.log");
        assertEquals(1, log.accesses());
        assertEquals(0, log.malformed().lines());
    }

    static Stream<Bad> logs() {
        return Stream.of(
                syntax("", "l.log: the log holds no access"),
                syntax("# seq\n\n", "l.log: the log holds no access"),
                syntax(
                        GOOD + "x\ny\n",
                        "l.log:2: expected SEQ SECONDS vcpuN rdmsr|wrmsr INDEX VALUE RIP, found a line with 1 fields;"
                                + " 2 of 3 lines are no accesses"));
    }

    @ParameterizedTest
    @MethodSource("logs")
    void refuses(Bad bad) {
        bad.check(() -> MsrLog.parse(bad.text(), "l.log"));
    }

    @Test
    void recognizesItsKind() {
        assertTrue(MsrLog.recognizes("# comment\n\n" + GOOD));
        assertTrue(MsrLog.recognizes("cut off at the start wrmsr\n" + GOOD));
        assertFalse(MsrLog.recognizes("scenario: s\nprogram: []\n"));
        assertFalse(MsrLog.recognizes("junk\n".repeat(10) + GOOD));
    }

    @Test
    void hasTheVcpusThatWereRecorded() {
        GuestFile file = GuestFile.of(GOOD + GOOD.replace("vcpu0", "vcpu1"), "dir/my.msrlog");
        assertEquals("my.msrlog", file.name());
        assertEquals(2, file.guest(Vendor.VMX, Optional.of(2)).vcpus());
        impossible("3", "guest my.msrlog was recorded on 2 vCPUs")
                .check(() -> file.guest(Vendor.VMX, Optional.of(3)));
    }
}
