package trapline.verify.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import trapline.verify.browser.Program.Served;

/// A served page in an opened browser, for the tests of one class.
record Page(Program program, Served served, Chromium chromium) implements AutoCloseable {

    static Page of(Program program) throws java.io.IOException {
        Served served = program.serve("127.0.0.1:0");
        try {
            return new Page(program, served, Chromium.open());
        } catch (RuntimeException e) {
            served.close();
            throw e;
        }
    }

    void go(String path) {
        chromium.go(served.url() + path);
    }

    /// Whatever a test did: nobody else was asked for anything, and the browser had nothing to say.
    void assertQuiet() {
        String host = served.url().replaceAll("^.*//", "");
        assertEquals(Set.of(host), Set.copyOf(chromium.hosts()));
        assertEquals(List.of(), chromium.complaints());
    }

    /// Keeps what the page shows, where `-Dscreenshots=FOLDER` asks for it.
    void picture(String name) {
        Optional.ofNullable(System.getProperty("screenshots"))
                .map(folder -> Path.of(folder, name + ".png"))
                .ifPresent(chromium::picture);
    }

    @Override
    public void close() {
        chromium.close();
        served.close();
    }
}
