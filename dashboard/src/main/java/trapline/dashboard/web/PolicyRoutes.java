package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.PolicyFields;

/// What a diff may be asked with: policies, built in or brought, and cost profiles.
final class PolicyRoutes implements Routes {

    private static final int LARGEST = 256 * 1024;
    private static final int LONGEST_NAME = 200;

    private final Uploads uploads;

    PolicyRoutes(Uploads uploads) {
        this.uploads = uploads;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/api/policies", context -> Answers.send(context, policies()));
        routes.post("/api/policies", this::upload);
        routes.get("/api/costs", context -> Answers.send(context, costs()));
    }

    private Map<String, Object> policies() {
        List<Object> mechanisms = new ArrayList<>();
        for (String mechanism : Policies.mechanisms()) {
            List<String> variants = Policies.variants(mechanism);
            if (!variants.isEmpty()) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("mechanism", mechanism);
                row.put("variants", variants);
                mechanisms.add(row);
            }
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("bases", Policies.bases());
        tree.put("mechanisms", mechanisms);
        tree.put("uploads", uploads.all().stream().map(PolicyRoutes::tree).toList());
        return tree;
    }

    private static Map<String, Object> tree(Uploads.Upload upload) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", upload.id());
        tree.put("name", upload.name());
        return tree;
    }

    private void upload(Context context) {
        byte[] body = context.bodyAsBytes();
        if (body.length > LARGEST) {
            throw new Problem(413, "a policy's file: at most %,d bytes".formatted(LARGEST));
        }
        Uploads.Upload upload = uploads.add(name(context), text(body));
        Map<String, Object> tree = tree(upload);
        tree.put("policy", PolicyFields.of(uploads.resolve(upload.id()).identity()));
        Answers.send(context, tree);
    }

    private static String text(byte[] body) {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException e) {
            throw Problem.badRequest("a policy's file: expected UTF-8 text");
        }
    }

    /// As a browser's script encodes it, since headers are ASCII.
    private static String name(Context context) {
        String name = Optional.ofNullable(context.header("X-Name")).orElse("policy");
        try {
            name = URLDecoder.decode(name, UTF_8);
        } catch (IllegalArgumentException e) {
            throw Problem.badRequest("X-Name: expected percent encoding");
        }
        if (name.isBlank() || name.length() > LONGEST_NAME) {
            throw Problem.badRequest("X-Name: expected 1 to %d characters", LONGEST_NAME);
        }
        return name.replaceAll("\\p{Cntrl}", " ");
    }

    private static Map<String, Object> costs() {
        List<Object> rows = new ArrayList<>();
        for (String name : CostProfile.builtIn()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("costs", name);
            row.put("summary", CostProfile.find(name, _ -> Optional.empty()).summary());
            rows.add(row);
        }
        return Map.of("costs", rows);
    }
}
