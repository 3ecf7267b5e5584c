package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** A value does not fit the member's limit, or that of its cache, and was not set. */
public class CacheMeshTooLargeException extends CacheMeshCommandException {

    private static final long serialVersionUID = 1L;

    public CacheMeshTooLargeException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
