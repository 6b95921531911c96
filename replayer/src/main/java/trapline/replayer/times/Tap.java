package trapline.replayer.times;

/// Is told what is counted, as it is counted.
interface Tap {

    Tap NONE =
            new Tap() {
                @Override
                public void time(long now) {}

                @Override
                public void happened(Dimension dimension, long code) {}

                @Override
                public void took(Dimension dimension, long code, long duration) {}
            };

    /// Comes before what happens then.
    void time(long now);

    void happened(Dimension dimension, long code);

    void took(Dimension dimension, long code, long duration);
}
