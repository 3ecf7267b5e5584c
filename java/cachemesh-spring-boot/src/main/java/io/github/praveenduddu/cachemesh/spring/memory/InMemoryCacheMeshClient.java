package io.github.praveenduddu.cachemesh.spring.memory;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheMeshUnavailableException;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.client.ClientStats;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import io.github.praveenduddu.cachemesh.client.MeshInfo;
import io.github.praveenduddu.cachemesh.client.Serializer;

/**
 * A mesh of one, in this JVM's memory, with {@code cachemesh.member.mode=none}: it keeps the contract of
 * {@link MeshCache}, bytes included, but nobody else sees its values. A cache keeps 10 000 values. Safe for
 * concurrent use.
 */
public final class InMemoryCacheMeshClient implements CacheMeshClient {

    private static final String NAME = "in-memory";

    private final Map<String, Store> stores = new ConcurrentHashMap<>();

    private volatile boolean closed;

    @Override
    public <K, V> MeshCache<K, V> cache(String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options) {
        return new InMemoryCache<>(this, name, this.stores.computeIfAbsent(name, (n) -> new Store()),
                new Coding<>(this, name, keys, values, options), options);
    }

    void check() {
        if (this.closed) {
            throw new CacheMeshUnavailableException("This client is closed.", null);
        }
    }

    @Override
    public void ping() {
        check();
    }

    @Override
    public CompletionStage<Void> pingAsync() {
        check();
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public MeshInfo info() {
        check();
        return new MeshInfo(NAME, NAME, NAME, CacheMeshClient.PROTOCOL, ProcessHandle.current().pid(), true, "majority",
                List.of(new MeshInfo.Member(NAME, NAME, true, false)), List.of(), List.copyOf(this.stores.keySet()), Map.of());
    }

    @Override
    public CompletionStage<MeshInfo> infoAsync() {
        return CompletableFuture.completedFuture(info());
    }

    @Override
    public CacheStats stats(String group) {
        check();
        Store store = this.stores.get(group);
        return (store != null) ? store.stats() : new CacheStats(Map.of());
    }

    @Override
    public ClientStats clientStats() {
        return new ClientStats(!this.closed, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        this.closed = true;
    }
}
