package trapline.cli;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import trapline.dashboard.web.Listen;
import trapline.dashboard.web.Tls;
import trapline.engine.text.InputException;

/// Where `serve` listens and whom it lets in.
final class ListenOptions {

    private static final Pattern ADDRESS =
            Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:\\s]+):([0-9]{1,5})");
    private static final int LAST_PORT = 65_535;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:7070",
            description = "Where to listen; port 0 is any that is free. Default: ${DEFAULT-VALUE}")
    String address;

    @Option(
            names = "--name",
            paramLabel = "HOST",
            split = ",",
            description = "A further name under which browsers find it.")
    Set<String> names = new TreeSet<>();

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            description = "A private key, PKCS #8 in PEM.")
    String key;

    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description = "Its certificate and those that vouch for it, in PEM.")
    String certificate;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "What who asks must know: at least 32 characters.")
    String tokenFile;

    @Spec(Spec.Target.MIXEE)
    CommandSpec command;

    Listen listen() {
        Matcher parts = ADDRESS.matcher(address);
        if (!parts.matches() || Integer.parseInt(parts.group(2)) > LAST_PORT) {
            throw usage("--listen: expected HOST:PORT, found '" + address + "'");
        }
        Listen listen =
                new Listen(
                        host(parts.group(1)),
                        Integer.parseInt(parts.group(2)),
                        Set.copyOf(names),
                        tls(),
                        Optional.ofNullable(tokenFile).map(this::token));
        if (!listen.missing().isEmpty()) {
            throw usage(
                    "--listen %s: other machines could ask, which takes %s as well"
                            .formatted(address, String.join(" and ", listen.missing())));
        }
        return listen;
    }

    private InetAddress host(String name) {
        try {
            return InetAddress.getByName(name);
        } catch (UnknownHostException e) {
            throw usage("--listen: no machine is called '" + name + "'");
        }
    }

    private Optional<Tls> tls() {
        if (key == null && certificate == null) {
            return Optional.empty();
        }
        if (key == null || certificate == null) {
            throw usage("--tls-key and --tls-cert go together");
        }
        return Optional.of(Tls.ofPem(text(key), key, text(certificate), certificate));
    }

    private String token(String file) {
        String token = text(file).strip();
        if (token.length() < Listen.SHORTEST_TOKEN || !token.matches("[\\x21-\\x7e]+")) {
            throw new InputException(
                    InputException.Kind.UNREADABLE,
                    file,
                    "expected a token of at least %d printable characters; openssl rand -hex 32 makes one"
                            .formatted(Listen.SHORTEST_TOKEN));
        }
        return token;
    }

    private static String text(String file) {
        return UserFiles.text(file)
                .orElseThrow(() ->
                        new InputException(InputException.Kind.UNREADABLE, file, "no such file"));
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
