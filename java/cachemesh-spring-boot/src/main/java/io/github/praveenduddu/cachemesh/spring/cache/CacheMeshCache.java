package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

import io.github.praveenduddu.cachemesh.client.CacheEntry;
import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheMeshLoadException;
import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Schedulers;

import org.springframework.cache.support.AbstractValueAdaptingCache;
import org.springframework.cache.support.NullValue;
import org.springframework.cache.support.SimpleValueWrapper;

/**
 * A cache of the mesh. What was put, evicted or cleared is so on all instances when the method returns; of all callers
 * of {@link #get(Object, Callable)} and {@link #retrieve(Object, Supplier)} in the whole mesh one loads.
 *
 * <p>While the member cannot be reached, it does what {@link CacheMeshCacheSettings#onError} says. With
 * {@link OnError#MISS} a key that could not be changed in the mesh is remembered, is not read by this instance, and is
 * evicted as soon as the member is back. Safe for concurrent use, by virtual threads too.
 */
public class CacheMeshCache extends AbstractValueAdaptingCache {

    /** How often the mesh is asked for a load that fails elsewhere; then the caller's own runs, for callers get their own exception. */
    private static final int TRIES = 3;

    private final String name;

    private final MeshCache<Object, Object> mesh;

    private final KeyEncoder<Object> keys;

    private final CacheMeshCacheSettings settings;

    private final CacheCounts counts = new CacheCounts();

    private final OwedWrites owed;

    private final MemberFailures failures;

    CacheMeshCache(String name, MeshCache<Object, Object> mesh, KeyEncoder<Object> keys, CacheMeshCacheSettings settings) {
        super(true);
        this.name = name;
        this.mesh = mesh;
        this.keys = keys;
        this.settings = settings;
        this.owed = new OwedWrites(name, mesh, keys);
        this.failures = new MemberFailures(name, settings.onError(), this.counts, this.owed);
    }

    @Override
    public String getName() {
        return this.name;
    }

    @Override
    public MeshCache<Object, Object> getNativeCache() {
        return this.mesh;
    }

    /**
     * Returns what holds for this cache.
     *
     * @return the settings
     */
    public CacheMeshCacheSettings getSettings() {
        return this.settings;
    }

    /**
     * Returns what this instance counted.
     *
     * @return the counts, which go on
     */
    public CacheCounts getCounts() {
        return this.counts;
    }

    /**
     * Asks the member what it counted.
     *
     * @return the counts of this instance's member
     * @throws CacheMeshException if it does not answer
     */
    public CacheStats getMemberStats() {
        return this.mesh.stats();
    }

    /** Stops trying to evict what could not be evicted while the member was gone. */
    void close() {
        this.owed.close();
    }

    @Override
    protected @Nullable Object lookup(Object key) {
        try {
            return found(key, this.owed.has(key) ? null : this.mesh.get(key));
        }
        catch (CacheMeshException ex) {
            this.failures.read(ex);
            this.counts.got(false);
            return null;
        }
    }

    /** Returns what is stored of an entry, null for none, counted. */
    private @Nullable Object found(Object key, @Nullable CacheEntry<Object> entry) {
        boolean hit = entry != null && !MeshValues.unreadable(entry.value());
        this.counts.got(hit);
        return hit ? toStoreValue(entry.value()) : null;
    }

    @Override
    public <T> @Nullable T get(Object key, Callable<T> valueLoader) {
        CountedLoad<T> load = new CountedLoad<>(this.counts, valueLoader);
        if (this.owed.has(key)) {
            return direct(key, load);
        }
        for (int i = 1;; i++) {
            try {
                Object value = this.mesh.getOr(key, load);
                if (!MeshValues.unreadable(value)) {
                    this.counts.got(!load.called());
                    return cast(value);
                }
                this.mesh.delete(key); // what nobody can read is in the way of what they load
                if (i == TRIES) {
                    return direct(key, load);
                }
            }
            catch (CacheMeshLoadException ex) {
                if (ex.getCause() != null) {
                    this.counts.got(false);
                    throw new ValueRetrievalException(key, valueLoader, ex.getCause());
                }
                if (i == TRIES) {
                    return direct(key, load);
                }
            }
            catch (CacheMeshException ex) {
                this.failures.read(ex);
                return direct(key, load);
            }
        }
    }

    /** Loads without the mesh; what was loaded already for this call is not loaded again. */
    private <T> @Nullable T direct(Object key, CountedLoad<T> load) {
        this.counts.got(false);
        try {
            return load.once(key);
        }
        catch (Exception ex) {
            throw new ValueRetrievalException(key, load.loader(), ex);
        }
    }

    @Override
    public CompletableFuture<?> retrieve(Object key) {
        if (this.owed.has(key)) {
            this.counts.got(false);
            return CompletableFuture.completedFuture(null);
        }
        return Futures.handle(this.mesh.getAsync(key), (entry, ex) -> {
            if (ex != null) {
                this.failures.read(ex);
                this.counts.got(false);
                return CompletableFuture.completedFuture(null);
            }
            Object stored = found(key, entry);
            return CompletableFuture.completedFuture((stored != null) ? new SimpleValueWrapper(fromStoreValue(stored)) : null);
        });
    }

    @Override
    public <T> CompletableFuture<T> retrieve(Object key, Supplier<CompletableFuture<T>> valueLoader) {
        CountedAsyncLoad<T> load = new CountedAsyncLoad<>(this.counts, valueLoader);
        return this.owed.has(key) ? directly(load) : retrieve(key, load, 1);
    }

    private <T> CompletableFuture<T> retrieve(Object key, CountedAsyncLoad<T> load, int attempt) {
        return Futures.handle(this.mesh.getOrAsync(key, load), (value, ex) -> {
            if (ex == null && !MeshValues.unreadable(value)) {
                this.counts.got(!load.called());
                return CompletableFuture.completedFuture(cast(value));
            }
            if (ex == null) {
                return Futures.handle(this.mesh.deleteAsync(key),
                        (deleted, failed) -> (failed != null || attempt == TRIES) ? directly(load) : retrieve(key, load, attempt + 1));
            }
            if (ex instanceof CacheMeshLoadException) {
                if (ex.getCause() == null) {
                    return (attempt < TRIES) ? retrieve(key, load, attempt + 1) : directly(load);
                }
                this.counts.got(false);
                return CompletableFuture.failedFuture(ex.getCause());
            }
            this.failures.read(ex);
            return directly(load);
        });
    }

    private <T> CompletableFuture<T> directly(CountedAsyncLoad<T> load) {
        this.counts.got(false);
        return load.once();
    }

    @Override
    public void put(Object key, @Nullable Object value) {
        this.counts.put();
        EncodedKey encoded = encoded(key);
        if (Schedulers.isInNonBlockingThread()) {
            long mark = this.owed.mark();
            Futures.handle(this.mesh.setAsync(encoded, value, null), (done, ex) -> this.failures.told(encoded, mark, ex, "put"));
            return;
        }
        this.failures.guard(encoded, "put", () -> this.mesh.set(encoded, value));
    }

    @Override
    public @Nullable ValueWrapper putIfAbsent(Object key, @Nullable Object value) {
        this.counts.put();
        EncodedKey encoded = encoded(key);
        long mark = this.owed.mark();
        try {
            if (this.owed.has(encoded) && !this.owed.settle()) {
                return null;
            }
            for (int i = 1;; i++) {
                CacheEntry<Object> there = this.mesh.putIfAbsent(encoded, value);
                if (there == null || !MeshValues.unreadable(there.value())) {
                    return (there != null) ? new SimpleValueWrapper(there.value()) : null;
                }
                this.mesh.delete(encoded);
                if (i == TRIES) {
                    this.mesh.set(encoded, value);
                    return null;
                }
            }
        }
        catch (CacheMeshException ex) {
            this.failures.write(encoded, mark, ex, "put");
            return null;
        }
    }

    @Override
    public void evict(Object key) {
        if (Schedulers.isInNonBlockingThread()) {
            this.counts.removed();
            EncodedKey encoded = encoded(key);
            long mark = this.owed.mark();
            Futures.handle(this.mesh.deleteAsync(encoded), (done, ex) -> this.failures.told(encoded, mark, ex, "evicted"));
            return;
        }
        evictIfPresent(key);
    }

    @Override
    public boolean evictIfPresent(Object key) {
        this.counts.removed();
        EncodedKey encoded = encoded(key);
        boolean[] there = new boolean[1];
        this.failures.guard(encoded, "evicted", () -> there[0] = this.mesh.delete(encoded));
        return there[0];
    }

    @Override
    public void clear() {
        if (Schedulers.isInNonBlockingThread()) {
            long mark = this.owed.mark();
            Futures.handle(this.mesh.clearAsync(), (done, ex) -> this.failures.told(null, mark, ex, "cleared"));
            return;
        }
        this.failures.guard(null, "cleared", this.mesh::clear);
    }

    @Override
    public boolean invalidate() {
        boolean[] there = new boolean[1];
        this.failures.guard(null, "cleared", () -> there[0] = this.mesh.invalidate());
        return there[0];
    }

    /** What is written is owed, if it fails, of the key that it was: it is encoded once. */
    private EncodedKey encoded(Object key) {
        return EncodedKey.of(this.keys, key);
    }

    @SuppressWarnings("unchecked")
    private static <T> @Nullable T cast(@Nullable Object value) {
        return (value instanceof NullValue) ? null : (T) value;
    }
}
