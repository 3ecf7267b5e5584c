package io.github.praveenduddu.cachemesh.client;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Brings the value that a cache lacks, without blocking.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface AsyncLoader<K, V> {

    /** Begins to load the value of a key. */
    CompletionStage<? extends @Nullable V> load(K key) throws Exception;
}
