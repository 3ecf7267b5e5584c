package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** A value could not be turned into bytes, or bytes into a value. */
public class CacheMeshSerializationException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshSerializationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
