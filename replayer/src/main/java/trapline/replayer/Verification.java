package trapline.replayer;

import java.util.List;

/// Whether a session is what was recorded, and comes out again.
public record Verification(String session, long events, List<Check> checks) {

    /// One thing that was checked.
    ///
    /// @param message what was found; never empty
    /// @param place where it is wrong; empty where it is right
    public record Check(String name, boolean ok, String message, String place) {}

    public boolean ok() {
        return checks.stream().allMatch(Check::ok);
    }
}
