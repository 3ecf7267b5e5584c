package io.github.praveenduddu.cachemesh.member;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A group of the mesh, to hold a cache. All members must say the same of it.
 *
 * @param name its name
 * @param maxBytes how much memory it has on each member, or null for the member's default
 * @param ttl how long its values live that are set without a time, or null for until they are evicted
 * @param notFoundTtl how long it is remembered that there is no value, or null for not at all
 * @param staleFor how long after their time values are still there, in case a load fails, or null for not at all;
 *     it needs a {@code ttl}
 */
public record GroupOptions(String name, @Nullable Long maxBytes, @Nullable Duration ttl, @Nullable Duration notFoundTtl,
        @Nullable Duration staleFor) {

    public GroupOptions {
        Objects.requireNonNull(name, "name");
        if (name.isEmpty()) {
            throw new IllegalArgumentException("name: a group needs one");
        }
    }

    /** Returns a group with all defaults. */
    public static GroupOptions of(String name) {
        return new GroupOptions(name, null, null, null, null);
    }
}
