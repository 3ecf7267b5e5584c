package io.github.praveenduddu.cachemesh.spring.cache;

import java.time.Duration;

import io.github.praveenduddu.cachemesh.client.CacheOptions;
import org.jspecify.annotations.Nullable;

/**
 * What holds for a cache on this instance.
 *
 * @param ttl how long values live; null: as the member's group says
 * @param notFoundTtl how long nulls live; null: as ttl
 * @param keyPrefix what stands before each key
 * @param onError what happens while the member cannot be reached
 * @param loadTimeout how long the load of another caller is waited for
 */
public record CacheMeshCacheSettings(@Nullable Duration ttl, @Nullable Duration notFoundTtl, String keyPrefix,
        OnError onError, Duration loadTimeout) {

    /** What holds where nothing else is said. */
    public static final CacheMeshCacheSettings DEFAULT = new CacheMeshCacheSettings(null, null, "", OnError.MISS,
            Duration.ofSeconds(60));

    CacheOptions toOptions() {
        return CacheOptions.builder()
            .ttl(this.ttl)
            .notFoundTtl(this.notFoundTtl)
            .keyPrefix(this.keyPrefix)
            .loadTimeout(this.loadTimeout)
            .build();
    }
}
