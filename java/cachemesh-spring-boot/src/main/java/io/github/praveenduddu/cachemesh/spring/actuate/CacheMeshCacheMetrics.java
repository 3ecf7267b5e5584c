package io.github.praveenduddu.cachemesh.spring.actuate;

import java.util.Map;
import java.util.function.ToLongFunction;

import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCache;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.cache.CacheMeterBinder;
import org.jspecify.annotations.Nullable;

/** Measures a cache: what this instance counted, and what its member counted for whoever asked it. */
public class CacheMeshCacheMetrics extends CacheMeterBinder<CacheMeshCache> {

    private static final Map<String, ToLongFunction<CacheStats>> ANSWERS = Map.of("own", CacheStats::ownHits, "copy",
            CacheStats::copyHits, "peer", CacheStats::peerHits, "miss", CacheStats::misses);

    private final CacheMeshCache cache;

    private final @Nullable Recent<CacheStats> member;

    /**
     * Makes the metrics of a cache.
     *
     * @param cache the cache
     * @param tags what all of them bear
     * @param member whether what the member counted is measured too
     */
    public CacheMeshCacheMetrics(CacheMeshCache cache, Iterable<Tag> tags, boolean member) {
        super(cache, cache.getName(), tags);
        this.cache = cache;
        this.member = member ? new Recent<>(cache::getMemberStats) : null;
    }

    @Override
    protected @Nullable Long size() {
        return null; // of the whole mesh nobody knows it without asking everybody
    }

    @Override
    protected long hitCount() {
        return this.cache.getCounts().hits();
    }

    @Override
    protected Long missCount() {
        return this.cache.getCounts().misses();
    }

    @Override
    protected @Nullable Long evictionCount() {
        return null; // the member's, below
    }

    @Override
    protected long putCount() {
        return this.cache.getCounts().puts();
    }

    @Override
    protected void bindImplementationSpecificMetrics(MeterRegistry registry) {
        counter(registry, "cache.removals", "Evictions of keys by this instance", (c) -> c.getCounts().removals());
        counter(registry, "cache.errors", "Operations that could not be done", (c) -> c.getCounts().failures());
        FunctionCounter.builder("cache.loads", this.cache, (c) -> c.getCounts().loads() - c.getCounts().loadFailures())
            .tags(getTagsWithCacheName()).tag("result", "success").description("Loads that this instance ran").register(registry);
        FunctionCounter.builder("cache.loads", this.cache, (c) -> c.getCounts().loadFailures())
            .tags(getTagsWithCacheName()).tag("result", "failure").description("Loads that this instance ran").register(registry);
        if (this.member != null) {
            bindMember(registry, this.member);
        }
    }

    private void counter(MeterRegistry registry, String name, String description, ToLongFunction<CacheMeshCache> count) {
        FunctionCounter.builder(name, this.cache, count::applyAsLong)
            .tags(getTagsWithCacheName()).description(description).register(registry);
    }

    private void bindMember(MeterRegistry registry, Recent<CacheStats> stats) {
        ANSWERS.forEach((from, count) -> FunctionCounter
            .builder("cachemesh.cache.gets", stats, (s) -> s.get(count))
            .tags(getTagsWithCacheName()).tag("from", from)
            .description("Gets that this instance's member answered, by where it had the answer from").register(registry));
        Map<String, ToLongFunction<CacheStats>> counters = Map.of("sets", CacheStats::sets, "deletes", CacheStats::deletes,
                "evictions", CacheStats::evictions, "expired", CacheStats::expired, "claims.won", CacheStats::claimsWon,
                "claims.filled", CacheStats::claimsFilled, "claims.void", CacheStats::claimsVoid, "claims.lost", CacheStats::claimsLost,
                "stale.served", CacheStats::staleServed);
        counters.forEach((name, count) -> FunctionCounter.builder("cachemesh.cache." + name, stats, (s) -> s.get(count))
            .tags(getTagsWithCacheName()).description("As this instance's member counts").register(registry));
        gauge(registry, stats, "entries", null, CacheStats::entries);
        gauge(registry, stats, "bytes", "bytes", CacheStats::bytes);
        gauge(registry, stats, "bytes.max", "bytes", CacheStats::maxBytes);
    }

    private void gauge(MeterRegistry registry, Recent<CacheStats> stats, String name, @Nullable String unit,
            ToLongFunction<CacheStats> value) {
        Gauge.builder("cachemesh.cache." + name, stats, (s) -> s.get(value))
            .tags(getTagsWithCacheName()).baseUnit(unit).description("In this instance's member").register(registry);
    }
}
