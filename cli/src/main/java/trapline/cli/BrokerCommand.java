package trapline.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import trapline.journal.Journals;
import trapline.journal.broker.FolderBroker;

/// `broker`: the embedded broker alone, for other clients.
@Command(
        name = "broker",
        description = "Runs the embedded broker of --log until Ctrl-C, for other Kafka clients.",
        footer = {
            "",
            "Prints host:port, where Kafka clients find it on this machine. Commands on the same --log",
            "join it meanwhile."
        })
final class BrokerCommand extends LogCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        Console console = console();
        if (main.globals.log.kind() != LogAddress.Kind.EMBEDDED) {
            throw new ParameterException(
                    spec.commandLine(),
                    "broker: expected --log embedded:DIR, found " + main.globals.log);
        }
        main.interrupt.hold();
        try (FolderBroker broker = Journals.broker(Path.of(main.globals.log.target()))) {
            if (console.json()) {
                console.document(Map.of("bootstrapServers", broker.address()));
            } else {
                console.line("%s", broker.address());
                console.note("Clients connect there; Ctrl-C ends it.");
            }
            console.out().flush();
            while (main.interrupt.getAsBoolean()) {
                LockSupport.parkNanos(100_000_000L);
            }
        }
        return ExitCode.DONE.number();
    }
}
