package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** The member refused an operation; the message is its own. */
public class CacheMeshCommandException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshCommandException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
