package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.replayer.explore.Explorer;
import trapline.replayer.explore.Explorers;

/// Everything that the explorer's page asks of one session.
final class SessionExplorer implements Routes {

    private static final String PATH = "/api/sessions/{session}";
    private static final int LONGEST_TARGET = 4200;
    private static final int MOST_MSRS = 64;
    private static final int DEFAULT_PIXELS = 1200;
    private static final int MOST_BINS = 4000;

    private final Explorers explorers;

    SessionExplorer(Journal journal) {
        explorers = new Explorers(journal);
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get(PATH, context -> answer(context, Explorer::info));
        routes.get(PATH + "/at", context -> answer(context, at(context)));
        routes.get(PATH + "/seek", context -> answer(context, seek(context)));
        routes.get(PATH + "/timeline", context -> answer(context, timeline(context)));
        routes.get(
                PATH + "/minimap",
                context -> {
                    int most = bins(context);
                    answer(context, explorer -> explorer.minimap(most));
                });
    }

    private interface Question {
        Object of(Explorer explorer);
    }

    private void answer(Context context, Question question) {
        Answers.send(context, explorers.ask(context.pathParam("session"), question::of));
    }

    private static Question at(Context context) {
        OptionalInt vcpu = vcpu(context);
        OptionalLong order = number(context, "order");
        if (order.isPresent()) {
            return explorer -> explorer.at(order.getAsLong(), vcpu);
        }
        if (vcpu.isEmpty()) {
            throw new Problem(400, "expected order=N, or vcpu=N and seq=N or seq=end");
        }
        int of = vcpu.getAsInt();
        if ("end".equals(context.queryParam("seq"))) {
            return explorer -> explorer.atEnd(of);
        }
        long seq = needed(context, "seq");
        return explorer -> explorer.at(of, seq);
    }

    private static Question seek(Context context) {
        long order = needed(context, "order");
        OptionalInt vcpu = vcpu(context);
        boolean next =
                switch (String.valueOf(context.queryParam("dir"))) {
                    case "next" -> true;
                    case "previous" -> false;
                    case String other ->
                            throw new Problem(
                                    400,
                                    "dir: expected next or previous, found '%s'".formatted(other));
                };
        String to = Optional.ofNullable(context.queryParam("to")).orElse("event");
        if (to.length() > LONGEST_TARGET) {
            throw new Problem(400, "to: at most %d characters".formatted(LONGEST_TARGET));
        }
        return explorer -> explorer.seek(order, vcpu, next, to);
    }

    private static Question timeline(Context context) {
        long from = number(context, "from").orElse(0);
        long to = number(context, "to").orElse(Long.MAX_VALUE);
        if (to < from) {
            throw new Problem(400, "to: expected %d or more, found %d".formatted(from, to));
        }
        Set<Integer> msrs = msrs(context);
        int most = bins(context);
        return explorer -> explorer.timeline(from, to, most, msrs);
    }

    /// As many as there are pixels for, two each.
    private static int bins(Context context) {
        return Math.clamp(number(context, "px").orElse(DEFAULT_PIXELS) / 2, 16, MOST_BINS);
    }

    private static Set<Integer> msrs(Context context) {
        String list = Optional.ofNullable(context.queryParam("msrs")).orElse("");
        Set<Integer> msrs = new HashSet<>();
        for (String name : list.isEmpty() ? new String[0] : list.split(",", MOST_MSRS + 1)) {
            OptionalInt msr = Msrs.parse(name);
            if (msr.isEmpty()) {
                throw new Problem(400, "msrs: no MSR '%s'".formatted(name));
            }
            msrs.add(msr.getAsInt());
        }
        return msrs;
    }

    /// Empty for any.
    private static OptionalInt vcpu(Context context) {
        String text = context.queryParam("vcpu");
        if (text == null || text.equals("all")) {
            return OptionalInt.empty();
        }
        return OptionalInt.of((int) Math.min(Integer.MAX_VALUE, parsed("vcpu", text)));
    }

    private static long needed(Context context, String name) {
        return number(context, name)
                .orElseThrow(() -> new Problem(400, "expected %s=N".formatted(name)));
    }

    private static OptionalLong number(Context context, String name) {
        String text = context.queryParam(name);
        return text == null ? OptionalLong.empty() : OptionalLong.of(parsed(name, text));
    }

    private static long parsed(String name, String text) {
        try {
            long number = Long.parseLong(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        String found = text.length() > 40 ? text.substring(0, 40) + "…" : text;
        throw new Problem(
                400, "%s: expected a number from 0 on, found '%s'".formatted(name, found));
    }

    @Override
    public void close() {
        explorers.close();
    }
}
