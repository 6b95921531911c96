package trapline.cli;

import picocli.CommandLine.Option;
import trapline.engine.cost.CostProfile;
import trapline.replayer.Session;

/// Which cost profile cycles are projected with.
final class CostOption {

    @Option(
            names = "--cost",
            paramLabel = "PROFILE",
            description =
                    "A cost profile (see 'costs') or a file. Default: the host platform's own")
    String profile;

    boolean given() {
        return profile != null;
    }

    CostProfile profile(Session session) {
        String name =
                profile != null ? profile : session.machines().platform().description().costs();
        return CostProfile.find(name, UserFiles::text);
    }
}
