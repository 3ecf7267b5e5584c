package io.github.praveenduddu.cachemesh.spring.cache;

import org.jspecify.annotations.Nullable;

/** Says that a value cannot be written to a cache, or not be read from one. */
@SuppressWarnings("serial")
public class CacheMeshValueException extends RuntimeException {

    /**
     * Makes one.
     *
     * @param message what is wrong
     * @param cause what the serializer said
     */
    public CacheMeshValueException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
