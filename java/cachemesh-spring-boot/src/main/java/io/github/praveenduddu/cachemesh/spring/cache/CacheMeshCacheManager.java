package io.github.praveenduddu.cachemesh.spring.cache;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.cache.Cache;
import org.springframework.cache.transaction.AbstractTransactionSupportingCacheManager;
import org.springframework.cache.transaction.TransactionAwareCacheDecorator;

/**
 * The caches of a mesh. Those that are named exist from the start, others from when they are first asked for, unless
 * {@link #setDynamic} says no. A cache is the group of its name in the mesh. Setters are for before its
 * initialization; all else is safe for concurrent use.
 */
public class CacheMeshCacheManager extends AbstractTransactionSupportingCacheManager implements DisposableBean {

    private final CacheMeshClient client;

    private final KeyEncoder<Object> keys;

    private final CacheMeshValues values;

    private CacheMeshCacheSettings defaults = CacheMeshCacheSettings.DEFAULT;

    private final Map<String, CacheMeshCacheSettings> settings = new LinkedHashMap<>();

    private final Set<String> names = new LinkedHashSet<>();

    private boolean dynamic = true;

    private final List<Consumer<CacheMeshCache>> listeners = new CopyOnWriteArrayList<>();

    /**
     * Makes a manager.
     *
     * @param client what talks to the member; it stays the caller's to close
     * @param keys how keys become text
     * @param values how values become bytes
     */
    public CacheMeshCacheManager(CacheMeshClient client, CacheMeshKeyEncoder keys, CacheMeshValues values) {
        this.client = client;
        this.values = values;
        this.keys = EncodedKey.known((key) -> {
            String text = keys.encode(key);
            if (text == null) {
                throw new CacheMeshKeyException("A key of a cache is of " + key.getClass() + ", which has no encoding.");
            }
            return text.getBytes(StandardCharsets.UTF_8);
        });
    }

    /**
     * Says what holds for each cache of which nothing else is said.
     *
     * @param defaults the settings
     */
    public void setDefaults(CacheMeshCacheSettings defaults) {
        this.defaults = defaults;
    }

    /**
     * Says what holds for a cache, which exists from the start.
     *
     * @param name its name
     * @param settings what holds
     */
    public void setSettings(String name, CacheMeshCacheSettings settings) {
        this.settings.put(name, settings);
        this.names.add(name);
    }

    /**
     * Names further caches that exist from the start.
     *
     * @param names their names, copied
     */
    public void addCacheNames(Collection<String> names) {
        this.names.addAll(names);
    }

    /**
     * Says whether caches that were not named are made when they are asked for. Default: yes.
     *
     * @param dynamic whether they are
     */
    public void setDynamic(boolean dynamic) {
        this.dynamic = dynamic;
    }

    /**
     * Adds who is told of each cache that is made after the start. What it throws reaches who asked for the cache.
     *
     * @param listener called with the cache, by the thread that asked for it
     */
    public void addListener(Consumer<CacheMeshCache> listener) {
        this.listeners.add(listener);
    }

    @Override
    protected Collection<? extends Cache> loadCaches() {
        return this.names.stream().map(this::create).toList();
    }

    @Override
    protected @Nullable Cache getMissingCache(String name) {
        return this.dynamic ? create(name) : null;
    }

    private CacheMeshCache create(String name) {
        CacheMeshCacheSettings own = this.settings.getOrDefault(name, this.defaults);
        return new CacheMeshCache(name, this.client.cache(name, this.keys, new MeshValues(name, this.values), own.toOptions()), this.keys, own);
    }

    @Override
    public @Nullable Cache getCache(String name) {
        boolean known = lookupCache(name) != null;
        Cache cache = super.getCache(name);
        if (!known && cache != null) {
            CacheMeshCache made = unwrap(cache);
            this.listeners.forEach((listener) -> listener.accept(made));
        }
        return cache;
    }

    /**
     * Returns a cache without what is around it.
     *
     * @param name its name
     * @return the cache, or null if there is none yet
     */
    public @Nullable CacheMeshCache getMeshCache(String name) {
        Cache cache = lookupCache(name);
        return (cache != null) ? unwrap(cache) : null;
    }

    private CacheMeshCache unwrap(Cache cache) {
        Cache target = isTransactionAware() ? TransactionAware.target(cache) : cache;
        if (target instanceof CacheMeshCache mesh) {
            return mesh;
        }
        throw new IllegalStateException("Not a cache of this manager: " + cache);
    }

    /** Clears all caches. Its parent would hold a lock while the mesh is asked. */
    @Override
    public void resetCaches() {
        getCacheNames().forEach((name) -> {
            Cache cache = lookupCache(name);
            if (cache != null) {
                cache.clear();
            }
        });
    }

    @Override
    public void destroy() {
        getCacheNames().forEach((name) -> {
            CacheMeshCache cache = getMeshCache(name);
            if (cache != null) {
                cache.close();
            }
        });
    }

    /** Apart, for spring-tx may be missing. */
    private static final class TransactionAware {

        static Cache target(Cache cache) {
            return (cache instanceof TransactionAwareCacheDecorator decorator) ? decorator.getTargetCache() : cache;
        }
    }
}
