package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What users mistype, and files that are no good: one message each that says where and what was expected.
class BadInputTest {

    @TempDir static Path directory;

    private static String session;

    @BeforeAll
    static void makeFiles() throws IOException {
        session =
                in("record --guest ssbd-per-task --log file:DIR/log")
                        .expect(ExitCode.DONE)
                        .out()
                        .strip();
        byte[] whole = Files.readAllBytes(directory.resolve("log/" + session + ".avro"));
        Files.write(directory.resolve("header.avro"), Arrays.copyOf(whole, 100));
        Files.write(directory.resolve("empty.avro"), new byte[0]);
        file("text.avro", "Obviously not Avro");
        whole[whole.length / 2] ^= 0x55;
        Files.write(directory.resolve("flipped.avro"), whole);
        Files.createDirectory(directory.resolve("none"));
        file("hasty.properties", "request.timeout.ms=200\ndefault.api.timeout.ms=400\n");
        file("typo.properties", "trapline.topic.prefx=x\n");
        file("op.yaml", "scenario: x\nprogram:\n  - wrmrs: {msr: IA32_SPEC_CTRL, value: 1}\n");
        file("msr.yaml", "scenario: x\nprogram:\n  - wrmsr: {msr: IA32_SPEC_CTL, value: 1}\n");
        file("key.yaml", "scenario: x\nprogam:\n  - hlt\n");
        file("cpu.yaml", "scenario: x\ncpu: Icelak\nprogram: [hlt]\n");
        file("open.yaml", "scenario: x\nprogram: [\n");
        file("number.yaml", "scenario: x\nprogram:\n  - run: 99999999999999999999\n");
        file("deep.yaml", "scenario: x\nprogram: " + "[".repeat(5000) + "]".repeat(5000));
        file("anchors.yaml", "a: &a [x, x]\nb: [*a, *a]\n");
        file("nothing.yaml", "");
        Files.write(directory.resolve("binary.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        file("variable.yaml", policy("spec-ctrl: {lift: valu != 0u}"));
        file("type.yaml", policy("spec-ctrl: {lift: value}"));
        file("field.yaml", policy("spec-ctl: {lift: value != 0u}"));
        file("extends.yaml", "policy: mine\nextends: kvm-6.9\n");
        file("self.yaml", "policy: mine\nextends: " + directory.resolve("self.yaml") + "\n");
    }

    private static String policy(String line) {
        return "policy: mine\nextends: kvm-6.1\n" + line + "\n";
    }

    private static void file(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }

    private static Ran in(String line) {
        return Ran.line(line.replace("DIR", directory.toString()));
    }

    // spotless:off
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "sesions                                              | 2 | unknown command 'sesions'; did you mean sessions?",
        "stat last --formt json                               | 2 | unknown option '--formt'; did you mean --format?",
        "stat                                                 | 2 | missing required parameter: 'SESSION'",
        "diff last                                            | 2 | missing required option: '--candidate=POLICY'",
        "sessions --format jsn                                | 2 | expected text or json, found 'jsn'",
        "stat last now                                        | 2 | unknown argument 'now'",
        "record --guest idle-timer --vcpus 0                  | 2 | --vcpus: expected 1 to 1024, found 0",
        "record --guest idle-timer --seed zz                  | 2 | expected a whole number, found 'zz'",
        "events last --from 9 --to 3                          | 2 | --to: expected an order number from 9, found 3",
        "state last --at then                                 | 2 | --at: expected a sequence number or 'end', found 'then'",
        "diff last --candidate kvm-6.6 --fail-on guestvisible | 2 | unknown rule 'guestvisible'; did you mean guest-visible?",
        "sessions --log fil:x                                 | 2 | did you mean file?",
        "sessions --log kafka:localhost                       | 2 | expected HOST:PORT[,HOST:PORT…], found 'localhost'",
        "broker --log file:x                                  | 2 | broker: expected --log embedded:",
        "record --guest ssbd-per-tsk                          | 3 | unknown guest 'ssbd-per-tsk'; built in are",
        "record --guest ssbd-per-tsk                          | 3 | ; did you mean ssbd-per-task?",
        "record --guest idle-timer --cpu Icelak               | 3 | did you mean Icelake-Server?",
        "record --guest idle-timer --cpu EPYC,v-spec-ctl=true | 3 | unknown property 'v-spec-ctl'; did you mean v-spec-ctrl?",
        "record --guest idle-timer --policy kvm-6.2           | 3 | unknown policy 'kvm-6.2'; built in are kvm-5.4,",
        "policies diff kvm-6.1 kvm-6.1,specctrl=v4            | 3 | unknown mechanism 'specctrl'; did you mean spec-ctrl?",
        "policies diff kvm-6.1 kvm-6.1,spec-ctrl=v9           | 3 | unknown variant 'v9' of spec-ctrl",
        "policies show kvm-6.1,pass-through=-FS_BSE           | 3 | unknown MSR 'FS_BSE'; did you mean FS_BASE?",
        "costs show intl                                      | 3 | unknown cost profile 'intl'; built in are intel, amd, thread-0; did you mean intel?",
        "guests show DIR                                      | 3 | DIR: expected a file, found a directory",
        "policies check DIR/nowhere.yaml                      | 3 | DIR/nowhere.yaml: no such file",
        "policies check DIR/variable.yaml                     | 3 | DIR/variable.yaml:3:19: unknown variable 'valu'; did you mean value?",
        "policies check DIR/type.yaml                         | 3 | DIR/type.yaml:3:19: expected bool, found uint",
        "policies check DIR/field.yaml                        | 3 | DIR/field.yaml:3:1: unknown key 'spec-ctl' in a policy; did you mean spec-ctrl?",
        "policies check DIR/extends.yaml                      | 3 | DIR/extends.yaml:2:10: unknown policy 'kvm-6.9'",
        "policies check DIR/self.yaml                         | 3 | extends itself",
        "policies check DIR/nothing.yaml                      | 3 | DIR/nothing.yaml: the file is empty",
        "policies check DIR/binary.yaml                       | 3 | DIR/binary.yaml: expected UTF-8 text",
        "policies check DIR/deep.yaml                         | 3 | DIR/deep.yaml:2:110: nested deeper than 100",
        "record --guest DIR/op.yaml                           | 3 | DIR/op.yaml:3:5: unknown op 'wrmrs'; did you mean wrmsr?",
        "record --guest DIR/msr.yaml                          | 3 | DIR/msr.yaml:3:18: unknown MSR 'IA32_SPEC_CTL'; did you mean IA32_SPEC_CTRL?",
        "record --guest DIR/key.yaml                          | 3 | DIR/key.yaml:2:1: unknown key 'progam' in a scenario; did you mean program?",
        "record --guest DIR/cpu.yaml                          | 3 | DIR/cpu.yaml:2:6: unknown CPU 'Icelak'",
        "record --guest DIR/open.yaml                         | 3 | DIR/open.yaml:3:1: not YAML:",
        "record --guest DIR/number.yaml                       | 3 | DIR/number.yaml:3:10: expected",
        "record --guest DIR/deep.yaml                         | 3 | DIR/deep.yaml:2:110: nested deeper than 100",
        "record --guest DIR/anchors.yaml                      | 3 | DIR/anchors.yaml:1:4: tags and anchors are not used here",
        "record --guest DIR/binary.yaml                       | 3 | DIR/binary.yaml: expected UTF-8 text",
        "stat nope --log file:DIR/log                         | 3 | no session nope is here",
        "stat last --log file:DIR/none                        | 3 | no session is here yet",
        "state last --vcpu 7 --log file:DIR/log               | 3 | has only vCPU 0, not 7",
        "state last --at 99999999 --log file:DIR/log          | 3 | has 18101 events, not 99999999",
        "events last --type VmExitd --log file:DIR/log        | 3 | unknown type of event 'VmExitd'; did you mean VmExited?",
        "events last --where tick --log file:DIR/log          | 3 | --where:1:1: expected bool, found int",
        "events last --where tick=3 --log file:DIR/log        | 3 | --where:1:5: unexpected '='; '==' compares",
        "events last --where event.mrs==3 --log file:DIR/log  | 3 | no event has a field 'mrs'; did you mean msr?",
        "diff last --candidate kvm-6.6 --cost x --log file:DIR/log | 3 | unknown cost profile 'x'",
        "stat last --log file:DIR/nowhere                     | 4 | DIR/nowhere: no such file or folder",
        "stat last --log embedded:DIR/none                    | 4 | DIR/none: no log is here yet: nothing was recorded",
        "record --guest idle-timer --log file:DIR/op.yaml/x   | 4 | DIR/op.yaml/x: cannot be created: Not a directory",
        "record --guest idle-timer --log file:DIR/flipped.avro | 4 | expected a folder to record into",
        "stat last --log file:DIR/empty.avro                  | 4 | DIR/empty.avro: the file is empty",
        "stat last --log file:DIR/header.avro                 | 4 | DIR/header.avro: the header is cut short or damaged",
        "stat last --log file:DIR/text.avro                   | 4 | DIR/text.avro: expected an Avro container file",
        "stat last --log file:DIR/flipped.avro                | 4 | DIR/flipped.avro@",
        "sessions --log kafka:localhost:1 --kafka-config DIR/hasty.properties   | 4 | kafka:localhost:1: cannot list its topics",
        "sessions --log kafka:localhost:1 --kafka-config DIR/typo.properties    | 4 | did you mean trapline.topic.prefix?",
        "sessions --log kafka:localhost:1 --kafka-config DIR/nowhere.properties | 4 | DIR/nowhere.properties: cannot be read",
    })
    // spotless:on
    void isToldInOneMessage(String line, int code, String message) {
        Ran ran = in(line);
        assertEquals(code, ran.code(), ran.toString());
        assertEquals("", ran.out());
        String expected = message.replace("DIR", directory.toString());
        assertTrue(ran.message().contains(expected), ran.toString());
    }

    @Test
    void recordsNothingForAGuestThatIsWrong() {
        in("record --guest DIR/op.yaml --log file:DIR/fresh").expect(ExitCode.BAD_INPUT);
        assertFalse(Files.exists(directory.resolve("fresh")));
    }

    @Test
    void listsWhatCanBeReadBesideWhatCannot() throws IOException {
        Path mixed = Files.createDirectory(directory.resolve("mixed"));
        Files.copy(directory.resolve("header.avro"), mixed.resolve("aaaaaaaaaa.avro"));
        String good = session + ".avro";
        Files.copy(directory.resolve("log/" + good), mixed.resolve(good));
        Ran ran = in("sessions --format json --log file:DIR/mixed").expect(ExitCode.NO);
        assertEquals(session, ran.json().at("/sessions/0/session").textValue());
        assertEquals(1, ran.json().at("/sessions").size());
        assertEquals(1, ran.json().at("/damaged").size());
        assertTrue(ran.message().startsWith("unreadable: "), ran.toString());
    }

    /// What was compared is on standard output all the same.
    @Test
    void saysWhereAReportCannotBeWritten() {
        Ran ran =
                in("diff last --candidate kvm-6.6 --html DIR/op.yaml/r.html --log file:DIR/log")
                        .expect(ExitCode.BAD_INPUT);
        assertTrue(
                ran.message().startsWith(directory + "/op.yaml/r.html: cannot be written: "),
                ran.toString());
        assertTrue(ran.out().contains("guest-visible: identical"), ran.toString());
    }
}
