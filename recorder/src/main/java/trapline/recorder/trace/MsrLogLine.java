package trapline.recorder.trace;

import trapline.engine.event.ObservedEvent.MsrLogged;

/// A line of a log of accesses: `SEQ SECONDS vcpuN rdmsr|wrmsr 0xINDEX 0xVALUE RIP SYMBOL [caller …]`.
final class MsrLogLine {

    private static final long NANOS = 1_000_000_000;
    private static final int MOST_VCPUS = 1_024;

    private byte[] line;
    private int at;
    private int end;
    private int vcpu;
    private MsrLogged logged;
    private String problem = "";

    /// Whether a line begins like one.
    boolean recognizes(byte[] bytes, int from, int to) {
        start(bytes, from, to);
        return decimal() >= 0 && blank() && seconds() >= 0 && blank() && word("vcpu");
    }

    private void start(byte[] bytes, int from, int to) {
        line = bytes;
        at = from;
        end = to;
        while (at < end && line[at] == ' ') {
            at++;
        }
    }

    boolean read(byte[] bytes, int from, int to) {
        start(bytes, from, to);
        problem = "";
        long seq = decimal();
        long time = expect(seq >= 0 && blank(), "SEQ") ? seconds() : -1;
        expect(time >= 0 && blank(), "SECONDS");
        long number = expect(word("vcpu"), "vcpuN") ? decimal() : -1;
        expect(number >= 0 && blank(), "vcpuN");
        expect(number < MOST_VCPUS, "a vCPU below " + MOST_VCPUS);
        vcpu = (int) number;
        boolean write = problem.isEmpty() && word("wrmsr ");
        expect(write || word("rdmsr "), "rdmsr or wrmsr");
        long msr = hex(true, 8);
        expect(last && blank(), "an index of 32 bits");
        long value = hex(true, 16);
        expect(last && blank(), "a value of 64 bits");
        long rip = hex(false, 16);
        expect(last && (at == end || blank()), "RIP");
        if (problem.isEmpty()) {
            logged = new MsrLogged(time, write, (int) msr, value, rip, symbol());
        }
        return problem.isEmpty();
    }

    private String symbol() {
        int stop = end;
        while (stop > at && line[stop - 1] == ' ') {
            stop--;
        }
        String text = Text.escaped(line, at, stop);
        return text.equals("?") ? "" : text;
    }

    int vcpu() {
        return vcpu;
    }

    MsrLogged logged() {
        return logged;
    }

    String problem() {
        return problem;
    }

    private boolean expect(boolean found, String what) {
        if (!found && problem.isEmpty()) {
            problem =
                    "expected %s, found %s"
                            .formatted(
                                    what,
                                    at >= end
                                            ? "the end"
                                            : "'" + Text.shortened(line, at, end) + "'");
        }
        return problem.isEmpty();
    }

    private boolean blank() {
        int from = at;
        while (at < end && line[at] == ' ') {
            at++;
        }
        return at > from;
    }

    private boolean word(String text) {
        if (LineParser.indexOf(line, at, Math.min(end, at + text.length()), text) != at) {
            return false;
        }
        at += text.length();
        return true;
    }

    private long decimal() {
        int from = at;
        long value = 0;
        while (at < end && line[at] >= '0' && line[at] <= '9' && at - from < 18) {
            value = value * 10 + line[at++] - '0';
        }
        return at == from ? -1 : value;
    }

    /// Seconds with up to nine digits of a fraction, in nanoseconds.
    private long seconds() {
        long whole = decimal();
        if (whole < 0 || whole > NANOS * 9 || at == end || line[at] != '.') {
            return -1;
        }
        at++;
        int from = at;
        long fraction = decimal();
        if (fraction < 0 || at - from > 9) {
            return -1;
        }
        for (int i = at - from; i < 9; i++) {
            fraction *= 10;
        }
        return whole * NANOS + fraction;
    }

    private boolean last;

    private long hex(boolean prefixed, int digits) {
        last = false;
        if (!problem.isEmpty() || (prefixed && !word("0x"))) {
            return 0;
        }
        int from = at;
        long value = 0;
        while (at < end && Character.digit(line[at], 16) >= 0) {
            value = value << 4 | Character.digit(line[at], 16);
            at++;
        }
        last = at > from && at - from <= digits;
        return value;
    }
}
