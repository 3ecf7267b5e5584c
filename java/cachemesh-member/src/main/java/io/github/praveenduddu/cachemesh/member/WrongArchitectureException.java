package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The program is for another processor or system than this. */
public class WrongArchitectureException extends MemberException {

    private static final long serialVersionUID = 1L;

    public WrongArchitectureException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
