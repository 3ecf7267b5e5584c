package io.github.praveenduddu.cachemesh.spring.cache;

import org.jspecify.annotations.Nullable;

/**
 * Encodes keys of types that {@link KeyEncoding} does not know. A bean of this type is asked before it. Called
 * concurrently.
 */
@FunctionalInterface
public interface CacheMeshKeyEncoder {

    /**
     * Returns the same text for equal keys, in all processes and for all time, and different texts for different ones.
     *
     * @param key the key, or a part of it
     * @return the text, or null if this encoder does not know keys of that type
     */
    @Nullable
    String encode(Object key);
}
