package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.Nullable;

/** The member did not take the password. */
public class CacheMeshAuthenticationException extends CacheMeshException {

    private static final long serialVersionUID = 1L;

    public CacheMeshAuthenticationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
