package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** The member has no such group, and may not make one, or has made as many as it may. */
public class CacheMeshNoSuchCacheException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshNoSuchCacheException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
