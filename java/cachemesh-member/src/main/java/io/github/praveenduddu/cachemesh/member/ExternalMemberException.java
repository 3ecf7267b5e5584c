package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The external member cannot be reached, or does not let this one in. */
public class ExternalMemberException extends MemberException {

    private static final long serialVersionUID = 1L;

    public ExternalMemberException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
