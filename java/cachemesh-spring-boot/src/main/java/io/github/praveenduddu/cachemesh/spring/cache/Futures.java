package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import org.jspecify.annotations.Nullable;

/** Goes on after stages of the client. */
final class Futures {

    private Futures() {
    }

    /** Calls a function with what a stage ended with; exceptions of others than the client are passed on. */
    static <T, R> CompletableFuture<R> handle(CompletionStage<T> stage,
            BiFunction<@Nullable T, @Nullable CacheMeshException, CompletableFuture<R>> next) {
        return stage.toCompletableFuture().handle((value, thrown) -> {
            Throwable ex = thrown;
            while (ex instanceof CompletionException && ex.getCause() != null) {
                ex = ex.getCause();
            }
            if (ex != null && !(ex instanceof CacheMeshException)) {
                return CompletableFuture.<R>failedFuture(ex);
            }
            try {
                return next.apply(value, (CacheMeshException) ex);
            }
            catch (RuntimeException failed) {
                return CompletableFuture.<R>failedFuture(failed);
            }
        }).thenCompose((future) -> future);
    }
}
