package trapline.engine.guest;

import static trapline.engine.Bad.impossible;
import static trapline.engine.Bad.syntax;
import static trapline.engine.Bad.tooLarge;
import static trapline.engine.Bad.unknown;

import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;
import trapline.engine.state.Vendor;

/// What users are told about scenario files that are wrong: where, what was expected, what was found.
class ScenarioErrorsTest {

    private static final String ALL_OPS =
            "ops are call, cpuid, force-spec-ctrl, hlt, host-filter, host-interrupt, host-write, in, interrupt, invlpg, invpcid, mmio, mov-cr, mov-dr, nested,"
                    + " out, pause, preempt, rdmsr, rdtsc, repeat, ret, run, vmcall, vmload, vmmcall, vmsave, wrmsr, xrstors,"
                    + " xsaves, xsetbv";

    /// One op each, the file's third line.
    static Stream<Bad> ops() {
        return Stream.of(
                unknown(
                        "wrmrs: {msr: 1, value: 1}",
                        "3:3: unknown op 'wrmrs'; did you mean wrmsr?"),
                unknown("frobnicate", "3:3: unknown op 'frobnicate'; " + ALL_OPS),
                unknown(
                        "a".repeat(500),
                        "3:3: unknown op '%s...'; %s".formatted("a".repeat(57), ALL_OPS)),
                unknown("5", "3:3: unknown op '5'; " + ALL_OPS),
                syntax("xsaves: 1", "3:11: expected a mapping, found '1'"),
                syntax("xrstors: {}", "3:12: 'mask' is missing"),
                unknown(
                        "xsaves: {msak: 1}",
                        "3:12: unknown key 'msak' in xsaves; did you mean mask?"),
                syntax("call: 0", "3:9: expected 1 to 1000000000000 calls"),
                syntax("ret: {random: [0, 3]}", "3:8: expected 1 to 1000000000000 returns"),
                syntax("", "3:2: expected an op, found nothing"),
                syntax("[hlt]", "3:3: expected an op, found a list"),
                syntax("{}", "3:3: expected one op, found 0 keys"),
                syntax("{rdtsc: , hlt: }", "3:3: expected one op, found 2 keys"),
                syntax("hlt: 3", "3:8: 'hlt' takes no operand"),
                syntax("pause: [1]", "3:10: 'pause' takes no operand"),
                // MSRs
                unknown(
                        "rdmsr: IA32_SPEC_CTLR",
                        "3:10: unknown MSR 'IA32_SPEC_CTLR'; did you mean IA32_SPEC_CTRL?"),
                unknown("rdmsr: NOTHING_LIKE_IT", "3:10: unknown MSR 'NOTHING_LIKE_IT'"),
                unknown("rdmsr: 0x100000000", "3:10: unknown MSR '0x100000000'"),
                unknown("rdmsr: -1", "3:10: unknown MSR '-1'"),
                unknown(
                        "rdmsr: " + "A".repeat(5000),
                        "3:10: unknown MSR '" + "A".repeat(57) + "...'"),
                syntax("rdmsr: [1]", "3:10: expected a mapping, found a list"),
                syntax("wrmsr: 5", "3:10: expected a mapping, found '5'"),
                syntax("wrmsr: {msr: 0x48}", "3:10: 'value' is missing"),
                syntax("wrmsr: {value: 0x48}", "3:10: 'msr' is missing"),
                unknown(
                        "wrmsr: {msr: 0x48, val: 1}",
                        "3:22: unknown key 'val' in wrmsr; did you mean value?"),
                unknown(
                        "wrmsr: {msr: 0x48, vlaue: 1}",
                        "3:22: unknown key 'vlaue' in wrmsr; did you mean value?"),
                syntax("wrmsr: {msr: 0x48, value: 1, value: 2}", "3:32: 'value' stands twice"),
                // Numbers
                syntax(
                        number("high"),
                        "3:26: expected a whole number of up to 64 bits, found 'high'"),
                syntax(
                        number("1.5"),
                        "3:26: expected a whole number of up to 64 bits, found '1.5'"),
                syntax(
                        number("0x10000000000000000"),
                        "3:26: expected a whole number of up to 64 bits, found '0x10000000000000000'"),
                syntax(
                        number("18446744073709551616"),
                        "3:26: expected a whole number of up to 64 bits, found '18446744073709551616'"),
                syntax(number(""), "3:25: expected a whole number of up to 64 bits, found nothing"),
                syntax(number("[1]"), "3:26: expected a whole number, found a list"),
                unknown(number("{rnd: [1, 2]}"), "3:27: unknown key 'rnd' in a number"),
                syntax(number("{random: 5}"), "3:35: expected a list, found '5'"),
                syntax(number("{random: [5]}"), "3:26: expected random: [LEAST, MOST]"),
                syntax(
                        number("{random: [5, 1]}"),
                        "3:26: expected random: [LEAST, MOST] with LEAST first"),
                syntax("run: 0", "3:8: expected 1 to 1000000000000 instructions"),
                syntax("run: -5", "3:8: expected 1 to 1000000000000 instructions"),
                syntax("run: 1000000000001", "3:8: expected 1 to 1000000000000 instructions"),
                syntax("run: {random: [0, 5]}", "3:8: expected 1 to 1000000000000 instructions"),
                syntax(
                        "run: {random: [1, 0xffffffffffffffff]}",
                        "3:8: expected 1 to 1000000000000 instructions"),
                // Operands
                syntax("cpuid: 7", "3:10: expected a mapping, found '7'"),
                syntax(
                        "cpuid: {leaf: 0x100000000}",
                        "3:17: expected a number from 0 to 4294967295, found 0x100000000"),
                syntax(
                        "in: {port: 0x10000}",
                        "3:14: expected a number from 0 to 65535, found 0x10000"),
                syntax("in: {port: 1, size: 3}", "3:23: expected size 1, 2 or 4, found '3'"),
                syntax("in: {port: 1, size: 8}", "3:23: expected size 1, 2 or 4, found '8'"),
                syntax("out: {port: 1}", "3:8: 'value' is missing"),
                syntax("mmio: {size: 4}", "3:9: 'address' is missing"),
                syntax(
                        "mmio: {address: 0, size: 16}",
                        "3:28: expected size 1, 2, 4 or 8, found '16'"),
                syntax(
                        "mov-cr: {cr: 1, value: 0}",
                        "3:16: expected control register 0, 2, 3, 4 or 8, found '1'"),
                syntax(
                        "mov-dr: {dr: 4, value: 0}",
                        "3:16: expected debug register 0, 1, 2, 3, 6 or 7, found '4'"),
                syntax("invpcid: {type: 4}", "3:19: expected a number from 0 to 3, found 4"),
                syntax(
                        "invpcid: {type: 0, pcid: 4096}",
                        "3:28: expected a number from 0 to 4095, found 4096"),
                syntax(
                        "xsetbv: {xcr: 2, value: 0}",
                        "3:17: expected a number from 0 to 1, found 2"),
                // What KVM refuses
                syntax(
                        "host-filter: {}",
                        "3:16: expected 'default', 'deny', 'allow', 'ranges' or 'user-exits', found a mapping"),
                unknown(
                        "host-filter: {denied: [FS_BASE]}",
                        "3:17: unknown key 'denied' in host-filter"),
                impossible(
                        "host-filter: {default: deny}",
                        "3:16: KVM refuses this filter (EINVAL): everything is denied by default, and there is no range"),
                impossible(
                        "host-filter: {default: deny, allow: [{msr: 0x48, count: 0}]}",
                        "3:16: KVM refuses this filter (EINVAL): everything is denied by default, and there is no range"),
                impossible(
                        "host-filter: {default: 2, deny: 0x48}",
                        "3:26: KVM refuses this filter (EINVAL): unknown flags 2"),
                unknown(
                        "host-filter: {default: refuse}",
                        "3:26: unknown default 'refuse'; expected allow or deny"),
                impossible(
                        "host-filter: {deny: {msr: 0x48, access: 0}}",
                        "3:43: KVM refuses this filter (EINVAL): a range of no access"),
                impossible(
                        "host-filter: {deny: {msr: 0x48, access: 4}}",
                        "3:43: KVM refuses this filter (EINVAL): unknown flags 4"),
                unknown(
                        "host-filter: {deny: {msr: 0x48, access: x}}",
                        "3:43: unknown kind of access 'x'; expected r, w or rw"),
                impossible(
                        "host-filter: {ranges: [{base: 0, count: 12289}]}",
                        "3:43: KVM refuses this filter (EINVAL): more than 12288 MSRs in a range"),
                impossible(
                        "host-filter: {deny: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}",
                        "3:78: KVM refuses this filter (EINVAL): more than 16 ranges"),
                impossible(
                        "host-filter: {ranges: [{base: 0x48, count: 2, deny: [0x4a]}]}",
                        "3:56: 0x4a is not in the range"),
                syntax(
                        "host-filter: {ranges: [{base: 0x48, allow: all, deny: all}]}",
                        "3:26: expected either 'allow' or 'deny'"),
                unknown(
                        "host-filter: {user-exits: [filtered]}",
                        "3:30: unknown reason 'filtered'; expected inval, unknown or filter"),
                syntax("vmcall: 5", "3:11: expected a mapping, found '5'"),
                syntax(
                        "interrupt: {vector: 15}",
                        "3:23: expected a number from 16 to 255, found 15"),
                syntax(
                        "host-interrupt: {vector: 256}",
                        "3:28: expected a number from 16 to 255, found 256"),
                syntax("interrupt: 0x31", "3:14: expected a mapping, found '0x31'"),
                syntax("preempt: {pcpu: -1}", "3:19: expected a number from 0 to 1023, found -1"),
                unknown(
                        "preempt: {cpu: 1}",
                        "3:13: unknown key 'cpu' in preempt; did you mean pcpu?"),
                syntax("preempt: 1", "3:12: 'preempt' takes no operand"),
                syntax("force-spec-ctrl: {mask: 4}", "3:20: 'value' is missing"),
                unknown(
                        "force-spec-ctrl: {msk: 4, value: 4}",
                        "3:21: unknown key 'msk' in force-spec-ctrl; did you mean mask?"),
                syntax(
                        "force-spec-ctrl: {mask: all, value: 4}",
                        "3:27: expected a whole number of up to 64 bits, found 'all'"),
                // Blocks
                syntax("{repeat: 3}", "3:3: 'do' is missing"),
                unknown(
                        "{repeat: 3, ddo: [hlt]}",
                        "3:15: unknown key 'ddo' in repeat; did you mean do?"),
                syntax("{repeat: 3, do: hlt}", "3:19: expected a list, found 'hlt'"),
                syntax(
                        "{repeat: -1, do: [hlt]}",
                        "3:12: expected a number from 0 to 9223372036854775807, found -1"),
                syntax(
                        "{repeat: {random: [1, 3]}, do: [hlt]}",
                        "3:12: expected a whole number, found a mapping"),
                syntax("nested:", "3:10: expected a mapping, found nothing"),
                syntax("nested: {}", "3:11: 'do' is missing"),
                impossible(
                        "nested: {do: [{nested: {do: [hlt]}}]}",
                        "3:26: L2 is no hypervisor: nested cannot nest"),
                unknown(
                        "nested: {intercept: {rad: []}, do: [hlt]}",
                        "3:24: unknown key 'rad' in intercept; did you mean read?"),
                syntax(
                        "nested: {intercept: {read: STAR}, do: [hlt]}",
                        "3:30: expected a list, found 'STAR'"),
                unknown(
                        "nested: {intercept: {read: [STRA]}, do: [hlt]}",
                        "3:31: unknown MSR 'STRA'; did you mean STAR?"),
                syntax(
                        "nested: {intercept: {hlt: yes}, do: [hlt]}",
                        "3:29: expected true or false, found 'yes'"),
                syntax(
                        "nested: {intercept: {hlt: [true]}, do: [hlt]}",
                        "3:29: expected true or false, found a list"),
                unknown(
                        "nested: {fields: {GUEST_RPI: 0}, do: [hlt]}",
                        "3:21: unknown field 'GUEST_RPI'; did you mean GUEST_RIP?"),
                syntax(
                        "nested: {fields: {GUEST_RIP: x}, do: [hlt]}",
                        "3:32: expected a whole number of up to 64 bits, found 'x'"),
                impossible(
                        "nested: {fields: {asid: 0}, do: [hlt]}",
                        "3:21: 'asid' is not a field of this machine's VMCS"),
                // YAML
                syntax(
                        "rdmsr: *x",
                        "3:10: aliases are not used here; quote a text that begins with *"),
                syntax(
                        "rdmsr: !!str 0x48",
                        "3:10: tags and anchors are not used here; quote a text that begins with ! or &"),
                syntax(
                        "{rdmsr: 0x48",
                        "4:1: not YAML: while parsing a flow mapping, expected ',' or '}', but got <stream end>"),
                tooLarge(loops(33), "3:563: nested deeper than 32"),
                tooLarge(loops(60), "3:845: nested deeper than 100"));
    }

    private static String number(String value) {
        return "wrmsr: {msr: 1, value: " + value + "}";
    }

    private static String loops(int depth) {
        return "{repeat: 1, do: [".repeat(depth) + "hlt" + "]}".repeat(depth);
    }

    @ParameterizedTest
    @MethodSource("ops")
    void refusesOp(Bad bad) {
        read("scenario: s\nprogram:\n- " + bad.text() + "\n", bad);
    }

    /// The same op in a file of a list's other style, and below another: the place follows.
    @Test
    void namesThePlaceWhereverItIs() {
        String text =
                """
                scenario: s
                program:
                  - run: 3
                  - repeat: 2
                    do:
                      - hlt
                      - rdmsr:
                          STRA
                """;
        read(text, unknown(text, "8:11: unknown MSR 'STRA'; did you mean STAR?"));
    }

    static Stream<Bad> files() {
        return Stream.of(
                syntax("", ": the file is empty"),
                syntax("# nothing\n", ": the file is empty"),
                syntax(
                        "[1, 2]",
                        "1:1: expected a scenario (a mapping with 'scenario' and 'program') or an MSR log, found a list"),
                syntax(
                        "just text",
                        "1:1: expected a scenario (a mapping with 'scenario' and 'program') or an MSR log, found 'just text'"),
                syntax("\0", "1:1: not YAML: special characters are not allowed"),
                syntax("scenario: s\nprogram: []\n---\nx: 1\n", "4:1: expected only one document"),
                syntax(
                        "scenario: a b\nprogram: []\n",
                        "1:11: a name has letters, digits, dots and dashes, up to 80"),
                syntax(
                        "scenario: " + "a".repeat(81) + "\nprogram: []\n",
                        "1:11: a name has letters, digits, dots and dashes, up to 80"),
                syntax("scenario: [a]\nprogram: []\n", "1:11: expected a text, found a list"),
                syntax("program: []\n", "1:1: 'scenario' is missing"),
                syntax("scenario: s\n", "1:1: expected either 'program' or 'vcpu'"),
                syntax(
                        "scenario: s\nprogram: []\nvcpu: {0: []}\n",
                        "1:1: expected either 'program' or 'vcpu'"),
                syntax("scenario: s\nscenario: t\nprogram: []\n", "2:1: 'scenario' stands twice"),
                unknown(
                        "scenario: s\nvm: {force-spec-ctl: {}}\nprogram: []\n",
                        "2:6: unknown key 'force-spec-ctl' in vm; did you mean force-spec-ctrl?"),
                syntax(
                        "scenario: s\nvm: {force-spec-ctrl: {value: 1}}\nprogram: []\n",
                        "2:23: 'mask' is missing"),
                unknown(
                        "scenario: s\nprogramm: []\n",
                        "2:1: unknown key 'programm' in a scenario; did you mean program?"),
                syntax("scenario: s\nprogram: {hlt: }\n", "2:10: expected a list, found a mapping"),
                syntax("scenario: s\nprogram: hlt\n", "2:10: expected a list, found 'hlt'"),
                syntax(
                        "scenario: s\nguest-cpu: yes\nprogram: []\n",
                        "2:12: expected a mapping of properties, found 'yes'"),
                syntax(
                        "scenario: s\nvcpus: 0\nprogram: []\n",
                        "2:8: expected a number from 1 to 1024, found 0"),
                syntax(
                        "scenario: s\nvcpus: 1025\nprogram: []\n",
                        "2:8: expected a number from 1 to 1024, found 1025"),
                syntax(
                        "scenario: s\nvcpus: two\nprogram: []\n",
                        "2:8: expected a whole number of up to 64 bits, found 'two'"),
                syntax(
                        "scenario: s\nvcpus: 2\nvcpu: {0: []}\n",
                        "3:7: expected a program for each vCPU from 0 to 1"),
                syntax(
                        "scenario: s\nvcpu: {1: []}\n",
                        "2:7: expected a program for each vCPU from 0 to 1"),
                syntax(
                        "scenario: s\nvcpu: {0: [], 2: []}\n",
                        "2:7: expected a program for each vCPU from 0 to 2"),
                syntax(
                        "scenario: s\nvcpu: {}\n",
                        "2:7: expected a program for each vCPU from 0 to 0"),
                syntax("scenario: s\nvcpu: {0: [], 0: []}\n", "2:15: '0' stands twice"),
                syntax("scenario: s\nvcpu: {0: [], 0x0: []}\n", "2:15: vCPU 0x0 stands twice"),
                syntax(
                        "scenario: s\nvcpu: {x: []}\n",
                        "2:8: expected a whole number of up to 64 bits, found 'x'"),
                syntax(
                        "scenario: s\nvcpu: {1024: []}\n",
                        "2:8: expected a number from 0 to 1023, found 1024"),
                unknown(
                        "scenario: s\nprogram:\n- hlt\n  - hlt\n",
                        "3:3: unknown op 'hlt - hlt'; " + ALL_OPS),
                tooLarge(
                        "scenario: s\nprogram:\n" + "- hlt\n".repeat(100_001),
                        "100003:3: more than 100000 ops"),
                tooLarge(
                        "#".repeat(4 * 1024 * 1024) + "\n",
                        ": 4194305 characters, at most 4194304 are read"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesFile(Bad bad) {
        read(bad.text(), bad);
    }

    private static void read(String text, Bad bad) {
        String at = bad.message().startsWith(":") ? "f.yaml" : "f.yaml:";
        new Bad(bad.kind(), bad.text(), at + bad.message())
                .check(() -> Scenario.parse(text, "f.yaml").on(Vendor.VMX, Optional.empty()));
    }

    static Stream<Bad> counts() {
        return Stream.of(
                impossible("0", "expected 1 to 1024 vCPUs, found 0"),
                impossible("1025", "expected 1 to 1024 vCPUs, found 1025"),
                impossible("3", "f.yaml:2:11: each vCPU has a program of its own, so there are 2"));
    }

    @ParameterizedTest
    @MethodSource("counts")
    void refusesNumberOfVcpus(Bad bad) {
        Scenario scenario = Scenario.parse("scenario: s\nvcpu: {0: [hlt], 1: [rdtsc]}\n", "f.yaml");
        Optional<Integer> count = Optional.of(Integer.valueOf(bad.text()));
        bad.check(() -> scenario.on(Vendor.SVM, count));
    }

    /// A guest of neither a built-in's nor a file's name.
    @Test
    void refusesUnknownGuest() {
        unknown(
                        "idle-tmer",
                        "unknown guest 'idle-tmer'; built in are "
                                + String.join(", ", GuestFile.builtIn())
                                + "; did you mean idle-timer?")
                .check(() -> GuestFile.find("idle-tmer", _ -> Optional.empty()));
    }
}
