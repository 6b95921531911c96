package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `calibrate` makes profiles that `costs` and `diff` take.
class CalibrateCommandTest {

    @TempDir Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void itsProfileIsTakenByCostsAndDiff() throws IOException {
        Path tests = file("vmexit.txt", "cpuid 1000\nwr_tsc_adjust_msr 1500\ncpuid x\n");
        Path mine = folder.resolve("mine.yaml");
        Ran ran =
                Ran.line("calibrate " + tests + " --name mine --out " + mine).expect(ExitCode.DONE);
        assertEquals(
                "figures from cpuid, wr_tsc_adjust_msr\n1 line begins like a measurement and is none:\n  "
                        + tests
                        + ":3: cpuid x\n",
                ran.err());
        String shown = Ran.line("costs show " + mine).expect(ExitCode.DONE).out();
        // 1000 is split as 1500 and 500 of profile intel.
        assertTrue(shown.matches("(?s).*\nexit +500 +750 +1,?000 .*cpuid 1000.*"), shown);
        assertTrue(shown.matches("(?s).*\nhandler.MSR_WRITE +500 +750 +1,?000 .*"), shown);
        String log = " --log file:" + folder.resolve("log");
        Ran.line("record --guest linux-eibrs-boot" + log).expect(ExitCode.DONE);
        String diff =
                Ran.line("diff last --candidate kvm-6.1,spec-ctrl=v4 --cost " + mine + log)
                        .expect(ExitCode.DONE)
                        .out();
        assertTrue(diff.contains("cycles, typical (mine)"), diff);
    }

    @Test
    void aFileWithoutMeasurementsIsRefused() throws IOException {
        Path other = file("other.txt", "hello\n");
        assertEquals(
                other
                        + ": expected what vmexit.flat or svm.flat of kvm-unit-tests prints, like"
                        + " 'cpuid 1234'; found no measurement that profile intel has a use for",
                Ran.line("calibrate " + other).expect(ExitCode.BAD_INPUT).message());
    }

    @Test
    void aFileThatIsNotThereIsSaidToBe() {
        assertEquals(
                "nowhere: no such file",
                Ran.line("calibrate nowhere").expect(ExitCode.BAD_INPUT).message());
    }
}
