package trapline.schemas;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Writes;

/// Values of whatever type, half of them from the ends of its range; the seed says which.
final class Samples {

    private static final long[] LONGS = {
        0, 1, -1, 63, 64, -64, -65, 0xffff_ffffL, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE
    };
    private static final int[] INTS = {0, 1, -1, 0xc000_0080, Integer.MAX_VALUE, Integer.MIN_VALUE};
    private static final String[] TEXTS = {"", "a", "überlänge – 長い", "x".repeat(3000)};

    private final Random random;
    private final Map<String, Integer> turns = new TreeMap<>();

    Samples(long seed) {
        random = new Random(seed);
    }

    /// Every type of event there is.
    static List<Class<?>> eventTypes() {
        return leaves(Event.class).toList();
    }

    private static Stream<Class<?>> leaves(Class<?> type) {
        return type.isRecord()
                ? Stream.of(type)
                : Arrays.stream(type.getPermittedSubclasses()).flatMap(Samples::leaves);
    }

    /// The events of a session, of each type so many, in order.
    List<Envelope> session(int ofEach) {
        List<Envelope> session = new ArrayList<>();
        for (int i = 0; i < ofEach; i++) {
            for (Class<?> type : eventTypes()) {
                session.add(envelope(session.size() + 1, (Event) of(type)));
            }
        }
        return session;
    }

    Envelope envelope(long order, Event event) {
        Stamp any = (Stamp) of(Stamp.class);
        Stamp stamp =
                new Stamp(
                        order,
                        any.vcpu(),
                        any.seq(),
                        any.pcpu(),
                        any.scope(),
                        any.tick(),
                        any.op(),
                        any.cause());
        return new Envelope(stamp, event);
    }

    /// A value of a type; enum constants take turns, so that none is left out.
    Object of(Type type) {
        if (type instanceof ParameterizedType generic) {
            Type item = generic.getActualTypeArguments()[0];
            return generic.getRawType() == Optional.class
                    ? Optional.of(item).filter(_ -> random.nextBoolean()).map(this::of)
                    : Stream.generate(() -> of(item)).limit(random.nextInt(4)).toList();
        }
        Class<?> plain = (Class<?>) type;
        if (plain.isRecord()) {
            return record(plain);
        }
        if (plain.isEnum()) {
            Object[] symbols = plain.getEnumConstants();
            return symbols[turns.merge(plain.getName(), 1, Integer::sum) % symbols.length];
        }
        return switch (plain.getSimpleName()) {
            case "long", "Long" -> aLong();
            case "int", "Integer" -> anInt();
            case "double" -> random.nextGaussian() * aLong();
            case "boolean", "Boolean" -> random.nextBoolean();
            case "String" -> TEXTS[random.nextInt(TEXTS.length)];
            case "Digest" -> Digest.from(bytes(32));
            case "Writes" -> writes(pick(0, 1, 3, 200));
            case "TraceFields" -> traceFields(pick(0, 1, 3, 16));
            case "MsrValues" -> msrValues(pick(0, 1, 3, 200));
            case "byte[]" -> bytes(pick(0, 1, 5000));
            case "long[]" -> LongStream.generate(this::aLong).limit(pick(0, 1, 5)).toArray();
            default -> throw new IllegalArgumentException("no samples of " + type);
        };
    }

    private Object record(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] values =
                Arrays.stream(components)
                        .map(RecordComponent::getGenericType)
                        .map(this::of)
                        .toArray();
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(type.getName(), e);
        }
    }

    private long aLong() {
        return random.nextBoolean()
                ? LONGS[random.nextInt(LONGS.length)]
                : random.nextLong() >> random.nextInt(64);
    }

    private int anInt() {
        return random.nextBoolean()
                ? INTS[random.nextInt(INTS.length)]
                : random.nextInt() >> random.nextInt(32);
    }

    private MsrValues msrValues(int size) {
        return MsrValues.of(
                IntStream.generate(this::anInt).limit(size).toArray(),
                LongStream.generate(this::aLong).limit(size).toArray());
    }

    private TraceFields traceFields(int size) {
        return TraceFields.of(
                (1 << size) - 1,
                LongStream.generate(this::aLong).limit(size).toArray(),
                TEXTS[random.nextInt(TEXTS.length)]);
    }

    private Writes writes(int size) {
        return Writes.of(
                IntStream.generate(this::anInt).limit(size).toArray(),
                LongStream.generate(this::aLong).limit(size).toArray());
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private int pick(int... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
