package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** The thread was interrupted while it waited. */
public class CacheMeshInterruptedException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshInterruptedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
