package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.github.praveenduddu.cachemesh.member.GroupOptions;
import io.github.praveenduddu.cachemesh.member.MemberOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.core.env.Environment;
import org.springframework.util.StringUtils;
import org.springframework.util.unit.DataSize;

/** Makes of the properties what the member is told. */
final class MemberSettings {

    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(10);

    private static final String DEFAULT_MESH = "cachemesh";

    private MemberSettings() {
    }

    static MemberOptions of(CacheMeshProperties properties, Environment environment) {
        CacheMeshProperties.Member member = properties.member();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("join-timeout", member.joinTimeout().toMillis() + "ms");
        if (member.requireJoin()) {
            settings.put("require-join", "true");
        }
        addDefaults(properties.defaults(), settings);
        settings.putAll(member.settings());
        DataSize each = properties.defaults().maxBytes();
        MemberOptions.Builder builder = MemberOptions.managed()
            .name(properties.name())
            .mesh(mesh(properties, environment))
            .listen(listen(properties))
            .advertise(member.advertise())
            .bootstrapNodes(properties.bootstrapNodes())
            .secret(properties.secret())
            .httpPort(member.httpPort())
            .totalBytes((properties.maxBytes() != null) ? properties.maxBytes().toBytes() : null)
            .maxGroups(properties.maxCaches())
            .groups(groups(properties))
            .settings(settings)
            .binary(member.binary())
            .folder(member.directory())
            .startTimeout(member.startTimeout())
            .stopTimeout(member.shutdownTimeout())
            .restartBackoff(member.restartBackoff(), LONGEST_BACKOFF);
        if (each != null) {
            builder.groupBytes(each.toBytes());
        }
        return builder.build();
    }

    private static void addDefaults(CacheMeshProperties.CacheOptions defaults, Map<String, String> settings) {
        put(settings, "other-groups-ttl", defaults.ttl());
        put(settings, "other-groups-not-found-ttl", defaults.notFoundTtl());
        put(settings, "other-groups-stale-for", defaults.staleFor());
    }

    private static void put(Map<String, String> settings, String name, @Nullable Duration value) {
        if (value != null) {
            settings.put(name, value.toMillis() + "ms");
        }
    }

    private static List<GroupOptions> groups(CacheMeshProperties properties) {
        return properties.caches().entrySet().stream().map((entry) -> {
            CacheMeshProperties.CacheOptions o = entry.getValue().over(properties.defaults());
            DataSize maxBytes = o.maxBytes();
            return new GroupOptions(entry.getKey(), (maxBytes != null) ? maxBytes.toBytes() : null, o.ttl(), o.notFoundTtl(),
                    o.staleFor());
        }).toList();
    }

    /** Applications on one machine that have names do not meet in one mesh by chance. */
    static String mesh(CacheMeshProperties properties, Environment environment) {
        if (properties.mesh() != null) {
            return properties.mesh();
        }
        String application = environment.getProperty("spring.application.name");
        return StringUtils.hasText(application) ? application : DEFAULT_MESH;
    }

    static String listen(CacheMeshProperties properties) {
        String listen = properties.member().listen();
        if (listen != null) {
            return listen;
        }
        return properties.bootstrapNodes().stream().allMatch(MemberSettings::here) ? "127.0.0.1:0" : ":3000";
    }

    /** Whether an address is on this machine for sure; names are not looked up. */
    private static boolean here(String node) {
        String host = node.substring(0, Math.max(0, node.lastIndexOf(':'))).replaceAll("[\\[\\]]", "");
        if (host.isEmpty() || host.equalsIgnoreCase("localhost")) {
            return true;
        }
        if (!host.matches("[0-9.]+|[0-9a-fA-F:]+:[0-9a-fA-F:]*")) {
            return false;
        }
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        }
        catch (java.net.UnknownHostException ex) {
            return false;
        }
    }
}
