package trapline.engine.event;

/// One event and its place: what sinks receive, logs keep and state folds.
public record Envelope(Stamp stamp, Event event) {}
