package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** What answers is no member of CacheMesh, or one of another protocol version. */
public class CacheMeshProtocolException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshProtocolException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
