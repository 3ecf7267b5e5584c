package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** No answer came in time: a write may have been done or not. */
public class CacheMeshTimeoutException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshTimeoutException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
