package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** A loader failed: its exception is the cause if it ran in this process, else there is none. */
public class CacheMeshLoadException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshLoadException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
