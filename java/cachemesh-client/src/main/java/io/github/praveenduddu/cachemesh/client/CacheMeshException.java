package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** Something that was asked of the mesh could not be done. */
public class CacheMeshException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public CacheMeshException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
