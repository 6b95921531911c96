package trapline.dashboard.live;

/// What a viewer is sent, and how much it has then.
public record Frame(String text, Progress after) {}
