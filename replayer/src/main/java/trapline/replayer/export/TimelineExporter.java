package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import trapline.replayer.Session;

/// A timeline for a viewer of traces.
final class TimelineExporter implements Exporter {

    /// Begins a timeline.
    interface Begin {
        Timeline on(String title, OutputStream out) throws IOException;
    }

    private final Begin form;

    TimelineExporter(Begin form) {
        this.form = form;
    }

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        Session session = what.session();
        Timeline timeline = form.on(session.header().guest().name() + " " + session.name(), out);
        Story story =
                session.imported()
                        ? new ObservedStory(timeline, session.vcpus())
                        : new ModelStory(timeline, session, what.notes());
        long count = what.all(story::event);
        story.finish();
        timeline.finish();
        return count;
    }
}
