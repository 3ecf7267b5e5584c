package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The folder for the program does not allow programs to run, as one mounted noexec. */
public class NotExecutableException extends MemberException {

    private static final long serialVersionUID = 1L;

    public NotExecutableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
