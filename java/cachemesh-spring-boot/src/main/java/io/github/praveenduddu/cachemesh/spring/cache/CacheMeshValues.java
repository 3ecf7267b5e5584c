package io.github.praveenduddu.cachemesh.spring.cache;

import org.jspecify.annotations.Nullable;

/**
 * How values go in and out of caches. A bean of this type takes the place of what
 * {@code cachemesh.serialization.format} names. Called concurrently.
 */
public interface CacheMeshValues {

    /**
     * Writes a value.
     *
     * @param value the value; null where a cache keeps nulls
     * @return its bytes, which belong to the caller
     * @throws CacheMeshValueException if it cannot be written so that {@link #decode} can read it
     */
    byte[] encode(@Nullable Object value);

    /**
     * Reads what {@link #encode} wrote.
     *
     * @param bytes the bytes, not to be kept or changed
     * @return the value
     * @throws CacheMeshValueException if they are not of this kind; the cache takes that for a miss
     */
    @Nullable
    Object decode(byte[] bytes);
}
