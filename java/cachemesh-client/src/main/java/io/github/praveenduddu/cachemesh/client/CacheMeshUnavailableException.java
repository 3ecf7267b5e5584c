package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** There is no connection to a member, or it broke before the answer came: a write may have been done or not. */
public class CacheMeshUnavailableException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
