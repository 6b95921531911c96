package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The page itself: the files of `trapline/web` in our own jar, all read at the start.
///
/// A request's path is a key of a map and nothing else.
final class StaticFiles implements Routes {

    private static final String FOLDER = "/trapline/web";
    private static final String INDEX = "/index.html";

    private static final Map<String, String> TYPES =
            Map.of(
                    "html", "text/html;charset=utf-8",
                    "js", "text/javascript;charset=utf-8",
                    "mjs", "text/javascript;charset=utf-8",
                    "css", "text/css;charset=utf-8",
                    "svg", "image/svg+xml",
                    "png", "image/png",
                    "woff2", "font/woff2",
                    "json", "application/json;charset=utf-8",
                    "txt", "text/plain;charset=utf-8");

    private final Map<String, StaticFile> files = read();

    private record StaticFile(byte[] content, String type, String tag) {}

    @Override
    public void addTo(RoutesConfig routes) {
        for (String path : files.keySet()) {
            routes.get(path, context -> send(context, files.get(path)));
        }
        StaticFile index = files.get(INDEX);
        for (String page :
                new String[] {"/", "/live/{session}", "/session/{session}", "/diff/{session}"}) {
            routes.get(page, context -> send(context, index));
        }
    }

    private static void send(Context context, StaticFile file) {
        context.header("Cache-Control", "no-cache").header("ETag", file.tag());
        if (file.tag().equals(context.header("If-None-Match"))) {
            context.status(304);
        } else {
            context.contentType(file.type()).result(file.content());
        }
    }

    private static Map<String, StaticFile> read() {
        URL index = StaticFiles.class.getResource(FOLDER + INDEX);
        if (index == null) {
            throw new IllegalStateException("no page in the jar");
        }
        try {
            URI uri = index.toURI();
            if (!uri.getScheme().equals("jar")) {
                return read(Path.of(uri).getParent());
            }
            try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                return read(jar.getPath(FOLDER));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, StaticFile> read(Path folder) throws IOException {
        Map<String, StaticFile> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                String type = TYPES.get(name.replaceAll(".*\\.", ""));
                if (type != null) {
                    byte[] content = Files.readAllBytes(file);
                    files.put("/" + name, new StaticFile(content, type, tag(content)));
                }
            }
        }
        return files;
    }

    private static String tag(byte[] content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            return '"' + HexFormat.of().formatHex(digest, 0, 12) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
