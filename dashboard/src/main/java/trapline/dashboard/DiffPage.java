package trapline.dashboard;

import trapline.replayer.DiffResult;

/// A diff as one self-contained HTML page.
public final class DiffPage {

    private DiffPage() {}

    public static String of(DiffResult diff) {
        return "<!doctype html><title>" + diff.session().name() + "</title>";
    }
}
