package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The program ended before it was ready; the message has what it said last. */
public class StartFailedException extends MemberException {

    private static final long serialVersionUID = 1L;

    public StartFailedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
