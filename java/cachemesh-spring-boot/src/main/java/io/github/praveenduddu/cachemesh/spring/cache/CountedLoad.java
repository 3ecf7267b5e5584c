package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.Callable;

import io.github.praveenduddu.cachemesh.client.Loader;
import org.jspecify.annotations.Nullable;

/** A loader of one call, which runs once for it. It is used by the caller's thread alone. */
final class CountedLoad<T> implements Loader<Object, Object> {

    private final CacheCounts counts;

    private final Callable<T> loader;

    private boolean called;

    private @Nullable T value;

    private @Nullable Exception failure;

    CountedLoad(CacheCounts counts, Callable<T> loader) {
        this.counts = counts;
        this.loader = loader;
    }

    @Override
    public @Nullable Object load(Object key) throws Exception {
        this.called = true;
        this.failure = null;
        boolean good = false;
        try {
            this.value = this.loader.call();
            good = true;
        }
        catch (Exception ex) {
            this.failure = ex;
            throw ex;
        }
        finally {
            this.counts.loaded(good);
        }
        return this.value;
    }

    @Nullable
    T once(Object key) throws Exception {
        if (!this.called) {
            load(key);
        }
        if (this.failure != null) {
            throw this.failure;
        }
        return this.value;
    }

    boolean called() {
        return this.called;
    }

    Callable<T> loader() {
        return this.loader;
    }
}
