package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** A member could not be started, or does not run; the message says why, and what to do. */
public class MemberException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public MemberException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
