package trapline.engine.guest;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.zip.GZIPInputStream;
import trapline.engine.event.InputEvent;
import trapline.engine.state.Vendor;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Resources;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;

/// A guest as it is kept: its text, what it asks for, where it comes from.
///
/// @param text all that is needed to run it again
/// @param provenance where a recording comes from; empty for a scenario
public record GuestFile(
        Kind kind, String name, String summary, String provenance, Wishes wishes, String text) {

    public enum Kind {
        SCENARIO,
        MSR_LOG,
        /// An imported session's ops; the text only describes it.
        TRACE
    }

    /// What a guest asks for where its user does not say; each knows its place in the file.
    public record Wishes(Optional<Node> cpu, Optional<Mapping> guestCpu, Optional<Node> policy) {
        public static final Wishes NONE =
                new Wishes(Optional.empty(), Optional.empty(), Optional.empty());
    }

    public static List<String> builtIn() {
        return Resources.names("guests");
    }

    /// The guest that a user's word means: a built-in name, or a file.
    ///
    /// @param files the text of a user's file by its name, where there is one
    public static GuestFile find(String name, Function<String, Optional<String>> files) {
        if (builtIn().contains(name)) {
            return ofResource(name);
        }
        String text =
                files.apply(name)
                        .orElseThrow(() ->
                                new InputException(
                                        InputException.Kind.UNKNOWN_NAME,
                                        "",
                                        "unknown guest '%s'; built in are %s%s"
                                                .formatted(
                                                        name,
                                                        String.join(", ", builtIn()),
                                                        Suggestion.of(
                                                                name, new TreeSet<>(builtIn())))));
        return of(text, name);
    }

    /// The guest in a text, whichever kind it is.
    public static GuestFile of(String text, String file) {
        if (MsrLog.recognizes(text)) {
            String name = file.substring(file.lastIndexOf('/') + 1);
            return new GuestFile(Kind.MSR_LOG, name, "", file, Wishes.NONE, text);
        }
        Scenario scenario = Scenario.parse(text, file);
        Wishes wishes = new Wishes(scenario.cpu(), scenario.guestCpu(), scenario.policy());
        return new GuestFile(Kind.SCENARIO, scenario.name(), scenario.summary(), "", wishes, text);
    }

    /// What userspace asks of the VM before it has vCPUs.
    public List<InputEvent> wishesOfVm() {
        return kind == Kind.SCENARIO ? Scenario.parse(text, name).vm() : List.of();
    }

    private static GuestFile ofResource(String name) {
        String text = Resources.text("guests/" + name + ".yaml").orElseThrow();
        Node root = Yaml.parse(text, name);
        if (root.find("log").isEmpty()) {
            return of(text, name);
        }
        String log = unpacked("guests/" + root.require("log").text());
        return new GuestFile(
                Kind.MSR_LOG,
                name,
                root.require("summary").text(),
                root.require("provenance").text(),
                new Wishes(root.find("cpu"), Optional.empty(), Optional.empty()),
                log);
    }

    private static String unpacked(String path) {
        byte[] packed = Resources.bytes(path).orElseThrow();
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The guest, ready to run on a vendor's hardware.
    ///
    /// @param vcpus another number than the file's own
    public Guest guest(Vendor vendor, Optional<Integer> vcpus) {
        return switch (kind) {
            case SCENARIO -> Scenario.parse(text, name).on(vendor, vcpus);
            case MSR_LOG -> {
                MsrLog log = MsrLog.parse(text, name);
                if (vcpus.isPresent() && vcpus.get() != log.vcpus()) {
                    throw new InputException(
                            InputException.Kind.NOT_APPLICABLE,
                            "",
                            "guest %s was recorded on %d vCPUs".formatted(name, log.vcpus()));
                }
                yield log;
            }
            case TRACE ->
                    throw new InputException(
                            InputException.Kind.NOT_APPLICABLE,
                            "",
                            "guest %s is an imported trace: its ops are in the session alone"
                                    .formatted(name));
        };
    }
}
