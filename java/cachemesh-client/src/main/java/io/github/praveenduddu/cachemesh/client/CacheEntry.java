package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/**
 * What a cache has of a key, which may be null.
 *
 * @param value the value
 * @param <V> the values
 */
public record CacheEntry<V>(@Nullable V value) {}
