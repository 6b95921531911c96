package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the sources promise of themselves: who knows whom, what the engine does without, which names
/// the documents use.
class TidyTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> MODULES =
            List.of(
                    "engine",
                    "schemas",
                    "journal",
                    "recorder",
                    "replayer",
                    "dashboard",
                    "fleet",
                    "cli",
                    "verify");

    private static final Set<String> EVENTS = Set.of("engine", "engine.event", "engine.table");
    private static final Set<String> STATES = with(EVENTS, "engine.state");
    private static final Set<String> CPUS = with(STATES, "engine.cpu");
    private static final Set<String> EXITS = with(CPUS, "engine.policy", "engine.exit");
    private static final Set<String> SIMULATION =
            with(
                    EXITS,
                    "engine.cpu.vmx",
                    "engine.cpu.svm",
                    "engine.exit.vmx",
                    "engine.exit.svm",
                    "engine.guest",
                    "engine.sim",
                    "engine.text");
    private static final Set<String> RESULTS =
            with(
                    SIMULATION,
                    "engine.cost",
                    "engine.rule",
                    "schemas",
                    "replayer",
                    "replayer.observed");

    /// The packages of ours that a package may know, its own apart. One that is not named here may
    /// know what the one around it may.
    private static final Map<String, Set<String>> KNOWS =
            Map.ofEntries(
                    Map.entry("engine", Set.of()),
                    Map.entry("engine.event", Set.of()),
                    Map.entry("engine.table", Set.of()),
                    Map.entry("engine.text", Set.of()),
                    Map.entry("engine.state", EVENTS),
                    Map.entry("engine.cpu", with(STATES, "engine.text")),
                    Map.entry("engine.cpu.vmx", CPUS),
                    Map.entry("engine.cpu.svm", CPUS),
                    Map.entry("engine.policy", Set.of("engine.table", "engine.text")),
                    Map.entry("engine.exit", EXITS),
                    Map.entry("engine.exit.vmx", with(EXITS, "engine.cpu.vmx")),
                    Map.entry("engine.exit.svm", with(EXITS, "engine.cpu.svm")),
                    Map.entry(
                            "engine.guest",
                            with(CPUS, "engine.text", "engine.cpu.vmx", "engine.cpu.svm")),
                    Map.entry("engine.cost", Set.of("engine.text", "engine.table")),
                    Map.entry("engine.rule", with(EXITS, "engine.cpu.vmx", "engine.cpu.svm")),
                    Map.entry("engine.sim", SIMULATION),
                    Map.entry("engine.trace", Set.of("engine.event", "engine.table")),
                    Map.entry("schemas", Set.of("engine.event", "engine.state")),
                    Map.entry(
                            "journal",
                            Set.of(
                                    "schemas",
                                    "journal",
                                    "journal.broker",
                                    "journal.disk",
                                    "journal.file",
                                    "journal.kafka",
                                    "journal.session")),
                    Map.entry(
                            "recorder.trace",
                            Set.of("engine.event", "engine.table", "engine.text", "engine.trace")),
                    Map.entry(
                            "recorder.observe",
                            Set.of(
                                    "engine.event",
                                    "engine.state",
                                    "engine.sim",
                                    "engine.table",
                                    "engine.text",
                                    "recorder",
                                    "recorder.trace",
                                    "schemas",
                                    "journal")),
                    Map.entry(
                            "recorder",
                            with(
                                    SIMULATION,
                                    "engine.cost",
                                    "engine.rule",
                                    "engine.trace",
                                    "recorder.trace",
                                    "schemas",
                                    "journal")),
                    Map.entry(
                            "replayer",
                            with(
                                    SIMULATION,
                                    "engine.cost",
                                    "engine.rule",
                                    "schemas",
                                    "journal",
                                    "replayer.observed")),
                    Map.entry("replayer.observed", with(CPUS, "engine.guest")),
                    Map.entry("replayer.cases", RESULTS),
                    Map.entry("replayer.export", with(RESULTS, "engine.trace", "journal")),
                    Map.entry("replayer.times", RESULTS),
                    Map.entry("replayer.parting", RESULTS),
                    Map.entry("replayer.explore", with(RESULTS, "journal")),
                    Map.entry("dashboard", RESULTS),
                    Map.entry(
                            "fleet",
                            with(
                                    RESULTS,
                                    "journal",
                                    "journal.kafka",
                                    "fleet",
                                    "fleet.diff",
                                    "fleet.statistics")),
                    Map.entry(
                            "cli",
                            with(
                                    RESULTS,
                                    "replayer.cases",
                                    "replayer.export",
                                    "replayer.times",
                                    "replayer.parting",
                                    "recorder",
                                    "recorder.observe",
                                    "recorder.trace",
                                    "journal",
                                    "journal.broker",
                                    "fleet",
                                    "fleet.diff",
                                    "dashboard",
                                    "dashboard.web")),
                    Map.entry(
                            "dashboard.web",
                            with(
                                    RESULTS,
                                    "replayer.times",
                                    "journal",
                                    "dashboard",
                                    "dashboard.live",
                                    "replayer.explore")),
                    Map.entry("dashboard.live", with(RESULTS, "journal")));

    /// Names of types with their packages, imported or in the middle of the code.
    private static final Pattern TYPE =
            Pattern.compile("\\b(?:[a-z][a-z0-9_]*\\.)+[A-Z][A-Za-z0-9]*");

    private static final Pattern DECLARED =
            Pattern.compile("\\b(?:class|interface|record|enum) ([A-Z][A-Za-z0-9]*)");

    private static Set<String> with(Set<String> set, String... more) {
        Set<String> both = new TreeSet<>(set);
        both.addAll(List.of(more));
        return both;
    }

    /// A source file without comments and texts.
    private record Source(Path file, String packageName, String code) {

        private static final Pattern NO_CODE =
                Pattern.compile(
                        "\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\])+'"
                                + "|//[^\n]*|/\\*.*?\\*/",
                        Pattern.DOTALL);

        static Source of(Path file) {
            String code = NO_CODE.matcher(text(file)).replaceAll("\"\"");
            String packageName =
                    code.replaceAll("(?s).*?\\bpackage trapline\\.?([a-z.]*);.*", "$1");
            return new Source(file, packageName, code);
        }

        /// Which types it names, each with its package.
        Stream<String> types() {
            return TYPE.matcher(code).results().map(MatchResult::group);
        }

        Stream<String> uses(Pattern pattern) {
            return pattern.matcher(code).results().map(use -> name() + ": " + use.group());
        }

        String name() {
            return ROOT.relativize(file).toString();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    private static List<Source> sources(String module, String kind) {
        Path folder = ROOT.resolve(module).resolve("src").resolve(kind).resolve("java");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .map(Source::of)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<String> modules() {
        return MODULES.stream().filter(module -> !module.equals("verify"));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void everyPackageKnowsOnlyWhatItMay(String module) {
        List<Source> sources = sources(module, "main");
        assertFalse(sources.isEmpty());
        List<String> wrong = new ArrayList<>();
        for (Source source : sources) {
            Set<String> may = knows(source.packageName());
            source.types()
                    .filter(type -> type.startsWith("trapline."))
                    .filter(type -> !may.contains(packageOf(type)))
                    .filter(type -> !packageOf(type).equals(source.packageName()))
                    .forEach(type -> wrong.add(source.name() + " knows " + type));
        }
        assertEquals(List.of(), wrong);
    }

    private static Set<String> knows(String packageName) {
        for (String name = packageName; !name.isEmpty(); name = around(name)) {
            if (KNOWS.containsKey(name)) {
                return KNOWS.get(name);
            }
        }
        throw new IllegalStateException("nobody said what " + packageName + " may know");
    }

    private static String around(String packageName) {
        int dot = packageName.lastIndexOf('.');
        return dot < 0 ? "" : packageName.substring(0, dot);
    }

    /// `trapline.engine.event.GuestEvent` is in `engine.event`.
    private static String packageOf(String type) {
        return type.substring("trapline.".length()).replaceAll("\\.?[A-Z].*", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"engine", "schemas", "recorder", "replayer", "dashboard", "cli"})
    void kafkaIsKnownToTheJournalAlone(String module) {
        assertUnused(module, "\\b(?:org\\.apache\\.)?kafka\\.[a-z.]*[A-Z]\\w*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"engine", "recorder", "replayer", "dashboard", "fleet", "cli"})
    void avroIsKnownToSchemasAndJournalAlone(String module) {
        assertUnused(module, "\\borg\\.apache\\.avro\\.[a-z.]*[A-Z]\\w*");
    }

    /// Seed in, bytes out.
    @ParameterizedTest
    @ValueSource(
            strings = {
                // spotless:off
                "\\bjava\\.nio\\.(?!charset\\.|Byte)[a-z.]*[A-Z]\\w*",   // files, channels
                "\\bjava\\.io\\.(?:File|Print|Random|Object|Console)\\w*",
                "\\bjava\\.net\\.[a-z.]*[A-Z]\\w*",
                "\\bjava\\.time\\.[a-z.]*[A-Z]\\w*",
                "\\bjava\\.security\\.[a-z.]*[A-Z]\\w*",
                "\\bjava\\.util\\.concurrent\\.[a-z.]*[A-Z]\\w*",
                "\\bjava\\.util\\.(?:Date|Calendar|Timer|UUID|Random)\\w*",
                "\\bSystem\\.(?!arraycopy)\\w+",
                "\\b(?:Thread|ThreadLocal|Process|ProcessBuilder|Runtime)\\b",
                "\\b(?:Random|ThreadLocalRandom|SecureRandom|Math\\.random)\\b",
                "\\b(?:HashMap|HashSet|IdentityHashMap|WeakHashMap|Hashtable)\\b",
                "\\b(?:identityHashCode|parallel|parallelStream|Locale\\.getDefault)\\b",
                "\\bto(?:Lower|Upper)Case\\(\\)",
                "\\bsynchronized\\b",
                "\\bvolatile\\b",
                // spotless:on
            })
    void theEngineDoesWithout(String banned) {
        assertUnused("engine", banned);
    }

    private static void assertUnused(String module, String banned) {
        Pattern pattern = Pattern.compile(banned);
        List<Source> sources = sources(module, "main");
        assertFalse(sources.isEmpty());
        assertEquals(List.of(), sources.stream().flatMap(s -> s.uses(pattern)).toList());
    }

    /// Else the bans above would say little.
    @Test
    void codeIsFoundAndCommentsAndTextsAreNot() throws IOException {
        Path file = Files.createTempFile("Tidy", ".java");
        Files.writeString(
                file,
                """
                package trapline.engine.sim;
                /// Not a java.time.Instant.
                class A { String s = "a \\" java.io.File"; /* Thread */ java.util.Date d = null; }
                """);
        Source source = Source.of(file);
        Files.delete(file);
        assertEquals("engine.sim", source.packageName());
        assertEquals(List.of("java.util.Date"), source.types().toList());
        assertEquals("engine.event", packageOf("trapline.engine.event.GuestEvent"));
    }

    static Stream<Path> documents() throws IOException {
        try (Stream<Path> files = Files.list(ROOT)) {
            return files.filter(file -> file.toString().endsWith(".md")).sorted().toList().stream();
        }
    }

    /// Words in the code font of a document that look like types of ours.
    @ParameterizedTest
    @MethodSource("documents")
    void typesThatDocumentsNameExist(Path document) {
        Set<String> declared =
                MODULES.stream()
                        .flatMap(module ->
                                Stream.of("main", "test")
                                        .flatMap(kind -> sources(module, kind).stream()))
                        .flatMap(source -> DECLARED.matcher(source.code()).results())
                        .map(found -> found.group(1))
                        .collect(Collectors.toCollection(TreeSet::new));
        declared.add("DataFileReader"); // Avro's
        assertEquals(
                List.of(),
                typeNames(text(document)).filter(name -> !declared.contains(name)).toList());
    }

    private static Stream<String> typeNames(String markdown) {
        return Pattern.compile("`([^`\n]+)`")
                .matcher(markdown)
                .results()
                .flatMap(span ->
                        Pattern.compile("(?<![\\w/.-])[A-Z][a-z]+(?:[A-Z][a-z]+)*(?![\\w/-])")
                                .matcher(span.group(1))
                                .results())
                .map(MatchResult::group)
                .distinct();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void filesThatDocumentsLinkExist(Path document) {
        assertEquals(
                List.of(),
                Pattern.compile("\\]\\(([^)#:]+)(?:#[^)]*)?\\)")
                        .matcher(text(document))
                        .results()
                        .map(link -> link.group(1))
                        .filter(link -> !Files.exists(ROOT.resolve(link)))
                        .toList());
    }

    /// Nothing that is tracked says where it was made.
    @Test
    void noFileNamesAFolderOfTheMachineItWasMadeOn() throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.exists(ROOT.resolve(".git")), "not a git repository");
        Process git = new ProcessBuilder("git", "ls-files", "-z").directory(ROOT.toFile()).start();
        String names = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, git.waitFor());
        Pattern folder = Pattern.compile("(?<![\\w.])/(?:work|root|home)/[\\w.-]+");
        List<String> found = new ArrayList<>();
        for (String name : names.split("\0")) {
            trackedText(name)
                    .ifPresent(text ->
                            folder.matcher(text)
                                    .results()
                                    .forEach(path -> found.add(name + ": " + path.group())));
        }
        assertTrue(names.contains("pom.xml"));
        assertEquals(List.of(), found);
    }

    /// Empty for what is not text, and for what is deleted and not yet committed.
    private static Optional<String> trackedText(String name) throws IOException {
        Path file = ROOT.resolve(name);
        try {
            return Files.isRegularFile(file)
                    ? Optional.of(Files.readString(file))
                    : Optional.empty();
        } catch (MalformedInputException e) {
            return Optional.empty();
        }
    }
}
