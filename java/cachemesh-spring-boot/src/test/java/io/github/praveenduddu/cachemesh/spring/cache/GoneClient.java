package io.github.praveenduddu.cachemesh.spring.cache;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheMeshUnavailableException;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.client.ClientStats;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import io.github.praveenduddu.cachemesh.client.MeshInfo;
import io.github.praveenduddu.cachemesh.client.Serializer;
import org.jspecify.annotations.Nullable;

/** A client whose member can be gone. */
class GoneClient implements CacheMeshClient {

    private final CacheMeshClient there;

    private volatile boolean gone;

    private volatile @Nullable Throwable broken;

    private final AtomicReference<@Nullable Throwable> next = new AtomicReference<>();

    private final AtomicReference<@Nullable Runnable> after = new AtomicReference<>();

    private final AtomicInteger tries = new AtomicInteger();

    GoneClient(CacheMeshClient there) {
        this.there = there;
    }

    void gone(boolean yes) {
        this.gone = yes;
    }

    /** What all operations fail with, null for nothing; the member is there again then. */
    void broken(@Nullable Throwable ex) {
        this.broken = ex;
        this.gone = false;
    }

    /** What the next operation fails with. */
    void brokenOnce(Throwable ex) {
        this.next.set(ex);
    }

    /** What happens when the next operation is done, before its caller knows. */
    void afterNext(Runnable what) {
        this.after.set(what);
    }

    int tries() {
        return this.tries.get();
    }

    @Override
    @SuppressWarnings("unchecked")
    public <K, V> MeshCache<K, V> cache(String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options) {
        MeshCache<K, V> cache = this.there.cache(name, keys, values, options);
        return (MeshCache<K, V>) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] { MeshCache.class },
                (proxy, method, args) -> {
                    Throwable broken = (this.broken != null) ? this.broken : this.next.getAndSet(null);
                    if (broken != null) {
                        this.tries.incrementAndGet();
                        throw broken;
                    }
                    if (this.gone && !method.getName().equals("name")) {
                        CacheMeshUnavailableException ex = new CacheMeshUnavailableException("There is no member.", null);
                        if (CompletionStage.class.isAssignableFrom(method.getReturnType())) {
                            return CompletableFuture.failedFuture(ex);
                        }
                        throw ex;
                    }
                    try {
                        Object done = method.invoke(cache, args);
                        Runnable after = this.after.getAndSet(null);
                        if (after != null) {
                            after.run();
                        }
                        return done;
                    }
                    catch (InvocationTargetException ex) {
                        throw ex.getTargetException();
                    }
                });
    }

    private void check() {
        if (this.gone) {
            throw new CacheMeshUnavailableException("There is no member.", null);
        }
    }

    @Override
    public void ping() {
        check();
    }

    @Override
    public CompletionStage<Void> pingAsync() {
        return this.there.pingAsync();
    }

    @Override
    public MeshInfo info() {
        check();
        return this.there.info();
    }

    @Override
    public CompletionStage<MeshInfo> infoAsync() {
        return this.there.infoAsync();
    }

    @Override
    public CacheStats stats(String group) {
        check();
        return this.there.stats(group);
    }

    @Override
    public ClientStats clientStats() {
        return this.there.clientStats();
    }

    @Override
    public void close() {
        this.there.close();
    }
}
