package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** A port that the member should listen at is another process's. */
public class PortTakenException extends MemberException {

    private static final long serialVersionUID = 1L;

    public PortTakenException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
