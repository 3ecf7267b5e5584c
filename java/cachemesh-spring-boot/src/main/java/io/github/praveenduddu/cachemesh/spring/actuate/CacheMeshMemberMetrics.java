package io.github.praveenduddu.cachemesh.spring.actuate;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.ClientStats;
import io.github.praveenduddu.cachemesh.client.MeshInfo;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.jspecify.annotations.Nullable;

/** Measures this instance's member, the mesh as it sees it, and the client that talks to it. */
public class CacheMeshMemberMetrics implements MeterBinder {

    private final CacheMeshClient client;

    private final @Nullable CacheMeshMember member;

    private final Recent<MeshInfo> info;

    private final Set<String> bound = ConcurrentHashMap.newKeySet();

    /**
     * Makes the metrics.
     *
     * @param client what asks the member
     * @param member the member that this JVM started, or null
     */
    public CacheMeshMemberMetrics(CacheMeshClient client, @Nullable CacheMeshMember member) {
        this.client = client;
        this.member = member;
        this.info = new Recent<>(client::info);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Gauge.builder("cachemesh.members", this.info, (info) -> {
            bindCounters(registry);
            return info.get((i) -> i.members().size());
        }).description("Members of the mesh, as this instance's sees them").register(registry);
        Gauge.builder("cachemesh.members.unreachable", this.info,
                (info) -> info.get((i) -> i.unreachable().size()))
            .description("Of these, those that it cannot call").register(registry);
        Gauge.builder("cachemesh.settled", this.info, (info) -> info.get((i) -> i.settled() ? 1 : 0))
            .description("Whether the members agree on who is a member").register(registry);
        Gauge.builder("cachemesh.client.connected", this.client, (c) -> c.clientStats().connected() ? 1 : 0)
            .description("Whether this instance is connected to its member").register(registry);
        client(registry, "operations", ClientStats::operations);
        client(registry, "failures", ClientStats::failures);
        client(registry, "connects", ClientStats::connects);
        client(registry, "waits", ClientStats::waits);
        client(registry, "joined", ClientStats::joined);
        client(registry, "not.kept", ClientStats::notKept);
        if (this.member != null) {
            Gauge.builder("cachemesh.member.up", this.member, (m) -> m.health().up() ? 1 : 0)
                .description("Whether this instance's member runs").register(registry);
            FunctionCounter.builder("cachemesh.member.restarts", this.member, (m) -> m.health().restarts())
                .description("How often it was started again").register(registry);
        }
    }

    private void client(MeterRegistry registry, String name, java.util.function.ToLongFunction<ClientStats> count) {
        FunctionCounter.builder("cachemesh.client." + name, this.client, (c) -> count.applyAsLong(c.clientStats()))
            .description("As this instance's client counts").register(registry);
    }

    /**
     * Binds what the member counts by the names that it has for it, each once, when the members are first measured: the
     * start does not wait for a connection.
     */
    private void bindCounters(MeterRegistry registry) {
        MeshInfo now = this.info.value();
        if (now == null) {
            return;
        }
        for (String name : now.counters().keySet()) {
            if (this.bound.add(name)) {
                Gauge.builder("cachemesh.member." + name.replaceAll("([A-Z])", ".$1").toLowerCase(Locale.ROOT), this.info, (info) -> info.get((i) -> of(i.counters(), name)))
                    .description("As this instance's member counts").register(registry);
            }
        }
    }

    private static long of(Map<String, Long> counters, String name) {
        return counters.getOrDefault(name, 0L);
    }
}
