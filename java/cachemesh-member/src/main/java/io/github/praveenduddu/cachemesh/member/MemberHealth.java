package io.github.praveenduddu.cachemesh.member;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link CacheMeshMember} does.
 *
 * @param state what it does
 * @param since since when
 * @param reason in plain words why it is not ready, or null
 * @param restarts how often it was started again since it was asked to start
 * @param pid its process, or -1 if none runs or it is not a child
 */
public record MemberHealth(MemberState state, Instant since, @Nullable String reason, int restarts, long pid) {

    /** Whether the member answers. */
    public boolean up() {
        return state == MemberState.READY;
    }
}
