package trapline.cli;

/// What the process answers, for scripts. [#NO] is an answer, too, and not a failure.
public enum ExitCode {
    // spotless:off
    DONE(           0),
    NO(             1),   // verify failed, --fail-on matched
    USAGE(          2),
    BAD_INPUT(      3),   // file, policy, trace
    LOG(            4),   // log or broker trouble
    INTERNAL(      70),   // our mistake; EX_SOFTWARE in sysexits.h
    INTERRUPTED(  130),   // Ctrl-C; a shell's word for SIGINT
    NOBODY_READS( 141);   // the reader of standard output has gone; a shell's word for SIGPIPE
    // spotless:on

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
