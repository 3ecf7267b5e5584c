package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/**
 * Brings the value that a cache lacks.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface Loader<K, V> {

    /** Returns the value of a key from where it comes from; null is a value, too, if the cache allows it. */
    @Nullable V load(K key) throws Exception;
}
