package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

import io.github.praveenduddu.cachemesh.client.AsyncLoader;
import org.jspecify.annotations.Nullable;

/** A loader of one call, without blocking; it begins once for it. */
final class CountedAsyncLoad<T> implements AsyncLoader<Object, Object> {

    private final CacheCounts counts;

    private final Supplier<CompletableFuture<T>> loader;

    private volatile @Nullable CompletableFuture<T> begun;

    CountedAsyncLoad(CacheCounts counts, Supplier<CompletableFuture<T>> loader) {
        this.counts = counts;
        this.loader = loader;
    }

    @Override
    public CompletionStage<? extends @Nullable Object> load(Object key) {
        return begin();
    }

    private CompletableFuture<T> begin() {
        CompletableFuture<T> future;
        try {
            future = this.loader.get();
        }
        catch (RuntimeException ex) {
            future = CompletableFuture.failedFuture(ex);
        }
        this.begun = future;
        return future.whenComplete((value, ex) -> this.counts.loaded(ex == null));
    }

    /** Returns what was begun already, or begins. */
    CompletableFuture<T> once() {
        CompletableFuture<T> future = this.begun;
        return (future != null) ? future : begin();
    }

    boolean called() {
        return this.begun != null;
    }
}
