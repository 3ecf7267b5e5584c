package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The member was not ready in time; it was ended. */
public class StartTimeoutException extends MemberException {

    private static final long serialVersionUID = 1L;

    public StartTimeoutException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
