package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A cache, over Lettuce. */
final class LettuceCache<K, V> implements MeshCache<K, V> {

    private static final int MOST_KEY = 4096; // bytes

    private final LettuceClient client;
    private final String name;
    private final KeyEncoder<? super K> keys;
    private final Serializer<V> values;
    private final CacheOptions options;
    private final byte[] prefix;
    private final CacheWire wire;
    private final Loads<K, V> loads;

    LettuceCache(LettuceClient client, String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options) {
        this.client = client;
        this.name = name;
        this.keys = Objects.requireNonNull(keys, "keys");
        this.values = Objects.requireNonNull(values, "values");
        this.options = options;
        prefix = CacheWire.bytes(options.keyPrefix());
        wire = new CacheWire(client, name, options);
        loads = new Loads<>(client, wire, name, values, options);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public CacheOptions options() {
        return options;
    }

    private Key key(K key) {
        byte[] bytes = keys.encode(Objects.requireNonNull(key, "key"));
        int length = prefix.length + bytes.length;
        if (length == 0 || length > MOST_KEY) {
            throw new IllegalArgumentException("key: with its prefix it has " + length + " bytes, and may have 1 to " + MOST_KEY);
        }
        if (prefix.length == 0) {
            return new Key(bytes);
        }
        byte[] all = new byte[length];
        System.arraycopy(prefix, 0, all, 0, prefix.length);
        System.arraycopy(bytes, 0, all, prefix.length, bytes.length);
        return new Key(all);
    }

    @Override
    public @Nullable CacheEntry<V> get(K key) {
        return entry((byte[]) client.await(wire.getMany(List.of(key(key)))).get(0));
    }

    @Override
    public CompletionStage<@Nullable CacheEntry<V>> getAsync(K key) {
        return client.stage(wire.getMany(List.of(key(key)))).thenApply(said -> entry((byte[]) said.get(0)));
    }

    private @Nullable CacheEntry<V> entry(byte @Nullable [] bytes) {
        return bytes == null ? null : Bytes.decode(values, bytes);
    }

    @Override
    public Map<K, CacheEntry<V>> getMany(Collection<? extends K> all) {
        if (all.isEmpty()) {
            return new LinkedHashMap<>();
        }
        return entries(all, client.await(wire.getMany(keys(all))));
    }

    @Override
    public CompletionStage<Map<K, CacheEntry<V>>> getManyAsync(Collection<? extends K> all) {
        if (all.isEmpty()) {
            return CompletableFuture.completedFuture(new LinkedHashMap<>());
        }
        List<K> asked = List.copyOf(all);
        return client.stage(wire.getMany(keys(asked))).thenApply(said -> entries(asked, said));
    }

    private List<Key> keys(Collection<? extends K> all) {
        List<Key> list = new ArrayList<>(all.size());
        all.forEach(k -> list.add(key(k)));
        return list;
    }

    private Map<K, CacheEntry<V>> entries(Collection<? extends K> asked, List<Object> said) {
        Map<K, CacheEntry<V>> found = new LinkedHashMap<>();
        int i = 0;
        for (K key : asked) {
            CacheEntry<V> e = entry((byte[]) said.get(i++));
            if (e != null) {
                found.put(key, e);
            }
        }
        return found;
    }

    @Override
    public @Nullable V getOr(K key, Loader<? super K, ? extends V> loader) {
        return getOr(key, null, loader);
    }

    @Override
    public @Nullable V getOr(K key, @Nullable Duration ttl, Loader<? super K, ? extends V> loader) {
        Objects.requireNonNull(loader, "loader");
        return loads.get(key, key(key), positive(ttl), loader);
    }

    @Override
    public CompletionStage<@Nullable V> getOrAsync(K key, AsyncLoader<? super K, ? extends V> loader) {
        return getOrAsync(key, null, loader);
    }

    @Override
    public CompletionStage<@Nullable V> getOrAsync(K key, @Nullable Duration ttl, AsyncLoader<? super K, ? extends V> loader) {
        Objects.requireNonNull(loader, "loader");
        return loads.getAsync(key, key(key), positive(ttl), loader);
    }

    @Override
    public void set(K key, @Nullable V value) {
        set(key, value, null);
    }

    @Override
    public void set(K key, @Nullable V value, @Nullable Duration ttl) {
        client.await(send(key(key), value, ttl));
    }

    @Override
    public CompletionStage<Void> setAsync(K key, @Nullable V value, @Nullable Duration ttl) {
        return client.stage(send(key(key), value, ttl));
    }

    private CompletableFuture<Void> send(Key key, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes = Bytes.encode(values, value, options);
        Duration lives = ttl(options, value, positive(ttl));
        CompletableFuture<?> sent = lives != null && lives.isZero() ? wire.delete(key) : wire.set(key, bytes, lives)
                .exceptionallyCompose(e -> Errors.unwrap(e) instanceof CacheMeshTooLargeException
                        ? wire.delete(key).thenCompose(was -> CompletableFuture.failedFuture(e)) // or others would go on seeing what was there
                        : CompletableFuture.failedFuture(e));
        return sent.thenApply(done -> null);
    }

    @Override
    public @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value) {
        return putIfAbsent(key, value, null);
    }

    @Override
    public @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value, @Nullable Duration ttl) {
        return entry(client.await(sendIfAbsent(key(key), value, ttl)));
    }

    @Override
    public CompletionStage<@Nullable CacheEntry<V>> putIfAbsentAsync(K key, @Nullable V value, @Nullable Duration ttl) {
        return client.stage(sendIfAbsent(key(key), value, ttl)).thenApply(this::entry);
    }

    private CompletableFuture<byte @Nullable []> sendIfAbsent(Key key, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes = Bytes.encode(values, value, options);
        Duration lives = ttl(options, value, positive(ttl));
        if (lives != null && lives.isZero()) { // it would not be kept
            return wire.getMany(List.of(key)).thenApply(said -> (byte[]) said.get(0));
        }
        return wire.setIfAbsent(key, bytes, lives).exceptionallyCompose(e -> Errors.unwrap(e) instanceof CacheMeshTooLargeException
                ? wire.getMany(List.of(key)).thenCompose(said -> said.get(0) != null ? CompletableFuture.completedFuture((byte[]) said.get(0))
                        : CompletableFuture.failedFuture(e))
                : CompletableFuture.failedFuture(e));
    }

    /** Returns how long a value lives: null for as the group says, zero for not at all. */
    static @Nullable Duration ttl(CacheOptions options, @Nullable Object value, @Nullable Duration given) {
        if (value == null && options.notFoundTtl() != null) {
            return options.notFoundTtl();
        }
        return given != null ? given : options.ttl();
    }

    private static @Nullable Duration positive(@Nullable Duration ttl) {
        if (ttl != null && (ttl.isNegative() || ttl.isZero())) {
            throw new IllegalArgumentException("ttl: " + ttl + " is not positive");
        }
        return ttl;
    }

    @Override
    public boolean delete(K key) {
        return client.await(wire.delete(key(key)));
    }

    @Override
    public CompletionStage<Boolean> deleteAsync(K key) {
        return client.stage(wire.delete(key(key)));
    }

    @Override
    public void clear() {
        client.await(wire.clear());
    }

    @Override
    public CompletionStage<Void> clearAsync() {
        return client.stage(wire.clear()).thenApply(some -> null);
    }

    @Override
    public boolean invalidate() {
        return client.await(wire.clear());
    }

    @Override
    public CompletionStage<Boolean> invalidateAsync() {
        return client.stage(wire.clear());
    }

    @Override
    public CacheStats stats() {
        return client.stats(name);
    }
}
