package io.github.praveenduddu.cachemesh.client;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One cache of the mesh. Its methods may be called by any number of threads, virtual ones included.
 *
 * <p>Blocking methods throw, and stages end with, {@link CacheMeshException}s, unless something else is said. An
 * interrupt ends a wait with {@link CacheMeshInterruptedException}, and the thread stays interrupted. The stages
 * are completed on {@link ClientOptions#executor}, and never on a thread of the network's.
 *
 * @param <K> the keys
 * @param <V> the values
 */
public interface MeshCache<K, V> {

    /** Returns the cache's name: that of the group in the mesh. */
    String name();

    /** Returns how the cache keeps its values. */
    CacheOptions options();

    /** Returns what the mesh has of a key, null for nothing. Nothing is loaded, and no load is waited for. */
    @Nullable CacheEntry<V> get(K key);

    /** {@link #get} without blocking. */
    CompletionStage<@Nullable CacheEntry<V>> getAsync(K key);

    /** Returns what the mesh has of keys, in one call; keys of which it has nothing are left out. */
    Map<K, CacheEntry<V>> getMany(Collection<? extends K> keys);

    /** {@link #getMany} without blocking. */
    CompletionStage<Map<K, CacheEntry<V>>> getManyAsync(Collection<? extends K> keys);

    /**
     * Returns what the mesh has of a key, and else what a loader brings, which is then kept. Of all callers in the
     * whole mesh one loads; the others wait for that, {@link CacheOptions#loadTimeout} at most. The
     * loader runs in the caller's thread.
     *
     * <p>What was read before a delete, a clear or a set of the key is not kept after it. A caller that came after
     * that write does not get it either. If the mesh keeps values past their time, an old one is
     * returned while another caller loads, or when the loader fails.
     *
     * @throws CacheMeshLoadException if the loader failed, here or where the value was loaded
     * @throws CacheMeshUnavailableException if there is no member; the loader was not called then. Once it was
     *     called, what it brought is returned, though it could not be kept
     * @throws IllegalStateException if the loader itself asks for the same key of the same cache
     */
    @Nullable V getOr(K key, Loader<? super K, ? extends V> loader);

    /** {@link #getOr} with a time to live of its own for what is loaded; null: that of the options. */
    @Nullable V getOr(K key, @Nullable Duration ttl, Loader<? super K, ? extends V> loader);

    /** {@link #getOr} without blocking; the loader is called on {@link ClientOptions#executor}. */
    CompletionStage<@Nullable V> getOrAsync(K key, AsyncLoader<? super K, ? extends V> loader);

    /** {@link #getOrAsync} with a time to live of its own for what is loaded; null: that of the options. */
    CompletionStage<@Nullable V> getOrAsync(K key, @Nullable Duration ttl, AsyncLoader<? super K, ? extends V> loader);

    /**
     * Sets the value of a key. When it returns no member answers with what was there before, nor when it fails with
     * {@link CacheMeshTooLargeException}: the key has no value then.
     */
    void set(K key, @Nullable V value);

    /** {@link #set} with a time to live of its own; null: that of the options. */
    void set(K key, @Nullable V value, @Nullable Duration ttl);

    /** {@link #set} without blocking. */
    CompletionStage<Void> setAsync(K key, @Nullable V value, @Nullable Duration ttl);

    /**
     * Sets the value of a key that has none, at once in the whole mesh, and returns null; or returns what the key has. A
     * value that is too large is a {@link CacheMeshTooLargeException} where the key has none.
     */
    @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value);

    /** {@link #putIfAbsent} with a time to live of its own; null: that of the options. */
    @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value, @Nullable Duration ttl);

    /** {@link #putIfAbsent} without blocking. */
    CompletionStage<@Nullable CacheEntry<V>> putIfAbsentAsync(K key, @Nullable V value, @Nullable Duration ttl);

    /** Forgets a key, and says whether the mesh had something of it. Loads of it that run are not kept. */
    boolean delete(K key);

    /** {@link #delete} without blocking. */
    CompletionStage<Boolean> deleteAsync(K key);

    /**
     * Forgets all keys of the cache, on all members. With a {@link CacheOptions#keyPrefix} these are the keys that
     * begin with it.
     */
    void clear();

    /** {@link #clear} without blocking. */
    CompletionStage<Void> clearAsync();

    /** {@link #clear}, and says whether the mesh had something of the cache. */
    boolean invalidate();

    /** {@link #invalidate} without blocking. */
    CompletionStage<Boolean> invalidateAsync();

    /** Returns what the member that this client is connected to counted for the cache. */
    CacheStats stats();
}
