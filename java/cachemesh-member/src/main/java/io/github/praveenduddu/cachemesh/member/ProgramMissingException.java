package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The program for this system is not on the class path. */
public class ProgramMissingException extends MemberException {

    private static final long serialVersionUID = 1L;

    public ProgramMissingException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
