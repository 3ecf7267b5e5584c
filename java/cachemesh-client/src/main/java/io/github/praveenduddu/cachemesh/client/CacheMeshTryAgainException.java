package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** Nothing was done, and trying again may help: members change, or are overloaded. */
public class CacheMeshTryAgainException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshTryAgainException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
