package io.github.praveenduddu.cachemesh.spring.actuate;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.MeshInfo;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.MemberException;
import io.github.praveenduddu.cachemesh.member.MemberHealth;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Says whether this instance's member answers. A member that is cut off from most of the mesh is up, and says so in its
 * details: a partition must not take down all instances on one side of it.
 */
public class CacheMeshHealthIndicator implements HealthIndicator {

    private final CacheMeshClient client;

    private final @Nullable CacheMeshMember member;

    /**
     * Makes one.
     *
     * @param client what asks the member
     * @param member the member that this JVM started, or null
     */
    public CacheMeshHealthIndicator(CacheMeshClient client, @Nullable CacheMeshMember member) {
        this.client = client;
        this.member = member;
    }

    @Override
    public Health health() {
        Health.Builder health = Health.up();
        if (this.member != null) {
            MemberHealth state = this.member.health();
            health.withDetail("state", state.state().name().toLowerCase(java.util.Locale.ROOT))
                .withDetail("since", state.since())
                .withDetail("restarts", state.restarts());
            if (!state.up()) {
                return health.down().withDetail("reason", (state.reason() != null) ? state.reason() : "the member does not run").build();
            }
        }
        try {
            MeshInfo info = this.client.info();
            health.withDetail("member", info.name())
                .withDetail("version", info.version())
                .withDetail("members", info.members().size())
                .withDetail("settled", info.settled())
                .withDetail("mode", info.mode());
            if (!info.unreachable().isEmpty()) {
                health.withDetail("unreachable", info.unreachable());
            }
            return health.build();
        }
        catch (CacheMeshException | MemberException ex) {
            return health.down().withDetail("reason", String.valueOf(ex.getMessage())).build();
        }
    }
}
