package io.github.praveenduddu.cachemesh.spring.memory;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.github.praveenduddu.cachemesh.client.AsyncLoader;
import io.github.praveenduddu.cachemesh.client.CacheEntry;
import io.github.praveenduddu.cachemesh.client.CacheMeshInterruptedException;
import io.github.praveenduddu.cachemesh.client.CacheMeshLoadException;
import io.github.praveenduddu.cachemesh.client.CacheMeshSerializationException;
import io.github.praveenduddu.cachemesh.client.CacheMeshTimeoutException;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.client.Loader;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import org.jspecify.annotations.Nullable;

/** One cache of a mesh of one. What is loaded is handed out as what its bytes decode to, as elsewhere. */
record InMemoryCache<K, V>(InMemoryCacheMeshClient client, String name, Store store, Coding<K, V> coding,
        CacheOptions options) implements MeshCache<K, V> {

    @Override
    public @Nullable CacheEntry<V> get(K key) {
        return this.coding.entry(this.store.get(this.coding.encode(key)));
    }

    @Override
    public Map<K, CacheEntry<V>> getMany(Collection<? extends K> all) {
        Map<K, CacheEntry<V>> found = new LinkedHashMap<>();
        for (K key : all) {
            CacheEntry<V> entry = get(key);
            if (entry != null) {
                found.put(key, entry);
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
        ByteBuffer encoded = this.coding.encode(key);
        Store.Found found = this.store.getOrBegin(encoded, Thread.currentThread());
        if (found.entry() != null) {
            return this.coding.read(found.entry().bytes());
        }
        Store.Flight flight = java.util.Objects.requireNonNull(found.flight());
        if (!found.own()) {
            if (flight.thread() == Thread.currentThread()) {
                throw new IllegalStateException("The loader of a key of the cache " + this.name + " asks for that key.");
            }
            return await(flight);
        }
        try {
            V value = loader.load(key);
            return landed(encoded, flight, value, ttl);
        }
        catch (Throwable ex) {
            throw failed(encoded, flight, ex);
        }
    }

    private @Nullable V landed(ByteBuffer key, Store.Flight flight, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes = this.coding.write(value);
        this.store.end(key, flight, true, bytes, this.coding.ttl(ttl, bytes));
        V read = this.coding.read(bytes);
        flight.value().complete(read);
        return read;
    }

    private RuntimeException failed(ByteBuffer key, Store.Flight flight, Throwable ex) {
        this.store.end(key, flight, false, null, null);
        flight.value().completeExceptionally(ex);
        if (ex instanceof Error error) {
            throw error;
        }
        return loadFailed(ex);
    }

    private RuntimeException loadFailed(Throwable ex) {
        return (ex instanceof CacheMeshSerializationException same) ? same
                : new CacheMeshLoadException("A load of the cache " + this.name + " failed: " + ex.getMessage(), ex);
    }

    @SuppressWarnings("unchecked")
    private @Nullable V await(Store.Flight flight) {
        try {
            return (V) flight.value().get(this.options.loadTimeout().toMillis(), TimeUnit.MILLISECONDS);
        }
        catch (ExecutionException ex) {
            throw loadFailed(ex.getCause());
        }
        catch (TimeoutException ex) {
            throw new CacheMeshTimeoutException("The load of another caller takes too long.", ex);
        }
        catch (InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw new CacheMeshInterruptedException("Interrupted while another caller loads.", ex);
        }
    }

    @Override
    public CompletionStage<@Nullable V> getOrAsync(K key, AsyncLoader<? super K, ? extends V> loader) {
        return getOrAsync(key, null, loader);
    }

    @Override
    @SuppressWarnings("unchecked")
    public CompletionStage<@Nullable V> getOrAsync(K key, @Nullable Duration ttl, AsyncLoader<? super K, ? extends V> loader) {
        ByteBuffer encoded = this.coding.encode(key);
        Store.Found found = this.store.getOrBegin(encoded, null);
        if (found.entry() != null) {
            return CompletableFuture.completedFuture(this.coding.read(found.entry().bytes()));
        }
        Store.Flight flight = java.util.Objects.requireNonNull(found.flight());
        if (!found.own()) {
            return flight.value().handle((value, ex) -> {
                if (ex != null) {
                    throw loadFailed(cause(ex));
                }
                return (V) value;
            });
        }
        CompletionStage<? extends @Nullable V> begun;
        try {
            begun = java.util.Objects.requireNonNull(loader.load(key), "The loader returned null instead of a stage.");
        }
        catch (Throwable ex) {
            begun = CompletableFuture.failedFuture(ex);
        }
        return begun.handle((value, ex) -> {
            if (ex != null) {
                throw failed(encoded, flight, cause(ex));
            }
            try {
                return landed(encoded, flight, value, ttl);
            }
            catch (Throwable failure) {
                throw failed(encoded, flight, failure);
            }
        });
    }

    private static Throwable cause(Throwable ex) {
        return (ex instanceof CompletionException && ex.getCause() != null) ? ex.getCause() : ex;
    }

    @Override
    public void set(K key, @Nullable V value) {
        set(key, value, null);
    }

    @Override
    public void set(K key, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes = this.coding.write(value);
        this.store.set(this.coding.encode(key), bytes, this.coding.ttl(ttl, bytes));
    }

    @Override
    public @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value) {
        return putIfAbsent(key, value, null);
    }

    @Override
    public @Nullable CacheEntry<V> putIfAbsent(K key, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes = this.coding.write(value);
        return this.coding.entry(this.store.putIfAbsent(this.coding.encode(key), bytes, this.coding.ttl(ttl, bytes)));
    }

    @Override
    public boolean delete(K key) {
        return this.store.delete(this.coding.encode(key));
    }

    @Override
    public void clear() {
        invalidate();
    }

    @Override
    public boolean invalidate() {
        this.client.check();
        return this.store.clear(this.options.keyPrefix().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public CacheStats stats() {
        return this.client.stats(this.name);
    }

    private static <T> CompletionStage<T> stage(java.util.function.Supplier<T> operation) {
        try {
            return CompletableFuture.completedFuture(operation.get());
        }
        catch (RuntimeException ex) {
            return CompletableFuture.failedFuture(ex);
        }
    }

    @Override
    public CompletionStage<@Nullable CacheEntry<V>> getAsync(K key) {
        return stage(() -> get(key));
    }

    @Override
    public CompletionStage<Map<K, CacheEntry<V>>> getManyAsync(Collection<? extends K> all) {
        return stage(() -> getMany(all));
    }

    @Override
    public CompletionStage<Void> setAsync(K key, @Nullable V value, @Nullable Duration ttl) {
        return stage(() -> {
            set(key, value, ttl);
            return null;
        });
    }

    @Override
    public CompletionStage<@Nullable CacheEntry<V>> putIfAbsentAsync(K key, @Nullable V value, @Nullable Duration ttl) {
        return stage(() -> putIfAbsent(key, value, ttl));
    }

    @Override
    public CompletionStage<Boolean> deleteAsync(K key) {
        return stage(() -> delete(key));
    }

    @Override
    public CompletionStage<Void> clearAsync() {
        return stage(() -> {
            clear();
            return null;
        });
    }

    @Override
    public CompletionStage<Boolean> invalidateAsync() {
        return stage(this::invalidate);
    }
}
