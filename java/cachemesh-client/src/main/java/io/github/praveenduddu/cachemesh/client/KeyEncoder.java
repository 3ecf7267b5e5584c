package io.github.praveenduddu.cachemesh.client;

import java.nio.charset.StandardCharsets;

/**
 * Turns keys into bytes: equal keys into equal bytes, in every process and version of the program. With the cache's
 * prefix these are 1 to 4096. It is called by several threads at once; what it throws reaches the caller as it is.
 *
 * @param <K> the keys
 */
@FunctionalInterface
public interface KeyEncoder<K> {

    /** Returns the bytes of a key, which are not changed any more. */
    byte[] encode(K key);

    /** Text as UTF-8. */
    static KeyEncoder<String> utf8() {
        return key -> key.getBytes(StandardCharsets.UTF_8);
    }
}
