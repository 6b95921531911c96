package trapline.cli;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import trapline.dashboard.web.Listen;
import trapline.dashboard.web.WebServer;
import trapline.journal.Journal;

/// `serve`: the page, for a browser.
@Command(
        name = "serve",
        description = "Serves the page that shows sessions, live and recorded, until Ctrl-C.",
        footer = {
            "",
            "Prints the page's address. It listens on this machine alone; beyond it only with TLS and a",
            "token: --tls-key, --tls-cert and --token-file. Browsers then open /login?token=TOKEN once,",
            "programs send 'Authorization: Bearer TOKEN'.",
            "",
            "/metrics is for Prometheus, /healthz for who watches the server itself.",
            "",
            "Examples:",
            "  trapline serve --open",
            "  trapline serve --log kafka:broker:9092 --listen 127.0.0.1:0 --format json",
            "  trapline serve --listen 0.0.0.0:7070 --name watch.example.org --tls-key key.pem \\",
            "    --tls-cert cert.pem --token-file token"
        })
final class ServeCommand extends LogCommand implements Callable<Integer> {

    @Mixin ListenOptions options;

    @Option(names = "--open", description = "Open the page in this desktop's browser.")
    boolean open;

    @Override
    public Integer call() {
        Console console = console();
        Listen listen = options.listen();
        main.interrupt.hold();
        try (Journal journal = opened();
                WebServer server = WebServer.start(listen, journal)) {
            if (console.json()) {
                console.document(Map.of("url", server.url()));
            } else {
                console.line("%s", server.url());
                console.note("Open it in a browser; Ctrl-C ends it.");
            }
            console.out().flush();
            if (open) {
                show(server.url(), console);
            }
            while (main.interrupt.getAsBoolean()) {
                LockSupport.parkNanos(100_000_000L);
            }
        }
        return ExitCode.DONE.number();
    }

    /// A log in Kafka is made where it is not there yet: who records may come later.
    private Journal opened() {
        return main.globals.log.kind() == LogAddress.Kind.FILE ? openLogToRead() : openLog();
    }

    private static void show(String url, Console console) {
        try {
            new ProcessBuilder("xdg-open", url)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            console.note("--open: no browser could be started (xdg-open is missing)");
        }
    }
}
