package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** The owner of the key sees no majority of the mesh, and changes nothing until it does. */
public class CacheMeshMinorityException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshMinorityException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
