package trapline.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The program's version, which the build writes into a resource.
final class Version implements IVersionProvider {

    static String program() {
        Properties build = new Properties();
        try (InputStream resource = Version.class.getResourceAsStream("build.properties")) {
            build.load(resource);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return build.getProperty("version");
    }

    @Override
    public String[] getVersion() {
        return new String[] {"trapline " + program()};
    }
}
