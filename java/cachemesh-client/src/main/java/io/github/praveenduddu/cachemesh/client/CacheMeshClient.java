package io.github.praveenduddu.cachemesh.client;

import java.util.concurrent.CompletionStage;

/**
 * A connection to a member of the mesh, for all threads of a program. It connects when it is first used, and again, in
 * the background, when the connection breaks; operations fail with {@link CacheMeshUnavailableException} meanwhile.
 */
public interface CacheMeshClient extends AutoCloseable {

    /** The number of what this client and a member must agree on. */
    int PROTOCOL = 1;

    /** Makes a client. It does not connect yet. */
    static CacheMeshClient create(ClientOptions options) {
        return new LettuceClient(options);
    }

    /**
     * Returns a cache. The member must have a group of its name, or be allowed to make one ({@code other-groups}): if
     * not, operations fail with {@link CacheMeshNoSuchCacheException}.
     */
    <K, V> MeshCache<K, V> cache(String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options);

    /** Returns a cache with keys of text. */
    default <V> MeshCache<String, V> cache(String name, Serializer<V> values, CacheOptions options) {
        return cache(name, KeyEncoder.utf8(), values, options);
    }

    /** Asks the member for a sign of life. */
    void ping();

    /** {@link #ping} without blocking. */
    CompletionStage<Void> pingAsync();

    /** Returns what the member says of itself and of the mesh. */
    MeshInfo info();

    /** {@link #info} without blocking. */
    CompletionStage<MeshInfo> infoAsync();

    /** Returns what the member counted for a group. */
    CacheStats stats(String group);

    /** Returns what this client counted. */
    ClientStats clientStats();

    /** Ends all connections. Operations that wait fail. */
    @Override
    void close();
}
