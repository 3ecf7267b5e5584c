package io.github.praveenduddu.cachemesh.member;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Says options as the program takes them: flags, variables for secrets, YAML for groups. */
final class Settings {

    private Settings() {}

    static List<String> flags(MemberOptions o, String name, String listen, List<String> bootstrap) {
        List<String> f = new ArrayList<>(List.of("member", "--announce", "--exit-with-stdin", "--log-format=json",
                "--name=" + name, "--listen=" + listen, "--redis-listen=127.0.0.1:" + o.clientPort(),
                "--http-listen=" + (o.httpPort() == null ? "off" : "127.0.0.1:" + o.httpPort()),
                "--max-bytes=1MiB", "--shutdown-timeout=" + o.stopTimeout().toMillis() + "ms"));
        if (!o.mesh().isEmpty()) {
            f.add("--mesh=" + o.mesh());
        }
        if (o.advertise() != null) {
            f.add("--advertise=" + o.advertise());
        }
        if (!bootstrap.isEmpty()) {
            f.add("--bootstrap=" + String.join(",", bootstrap));
        }
        if (o.totalBytes() != null) {
            f.add("--total-bytes=" + o.totalBytes());
        }
        if (o.maxGroups() > 0) {
            f.addAll(List.of("--other-groups", "--other-groups-kind=cache", "--other-groups-most=" + o.maxGroups(),
                    "--other-groups-bytes=" + o.groupBytes()));
        }
        o.settings().forEach((flag, value) -> f.add("--" + flag + "=" + value));
        return f;
    }

    /** Returns the groups as YAML, or null if there are none. */
    static @Nullable String groups(MemberOptions o) {
        if (o.groups().isEmpty()) {
            return null;
        }
        StringBuilder b = new StringBuilder("groups:\n");
        for (GroupOptions g : o.groups()) {
            b.append("  - {kind: cache, name: ").append(Json.quoted(g.name()));
            b.append(", maxBytes: ").append(g.maxBytes() == null ? o.groupBytes() : g.maxBytes());
            time(b, "ttl", g.ttl());
            time(b, "notFoundTTL", g.notFoundTtl());
            time(b, "staleFor", g.staleFor());
            b.append("}\n");
        }
        return b.toString();
    }

    private static void time(StringBuilder b, String name, @Nullable Duration d) {
        if (d != null && !d.isZero()) {
            b.append(", ").append(name).append(": ").append(d.toMillis()).append("ms");
        }
    }

    /** Sets what no other user may see. What this process' own environment says of members is not for its child. */
    static void environment(Map<String, String> env, MemberOptions o, String password, @Nullable String token) {
        env.keySet().removeIf(name -> name.startsWith("CACHEMESH_"));
        env.put("CACHEMESH_REDIS_PASSWORD", password);
        if (token != null) {
            env.put("CACHEMESH_HTTP_TOKEN", token);
        }
        if (o.secret() != null) {
            env.put("CACHEMESH_SECRET", o.secret());
        }
    }

    /** Returns a name for the mesh among those on this machine: members with another secret cannot join. */
    static String meshId(MemberOptions o) {
        try {
            byte[] all = (o.mesh() + "\0" + (o.secret() == null ? "" : o.secret())).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
