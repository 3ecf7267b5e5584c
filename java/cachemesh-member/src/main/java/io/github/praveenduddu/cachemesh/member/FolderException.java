package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The folder for the program cannot be written, or is not this user's alone. */
public class FolderException extends MemberException {

    private static final long serialVersionUID = 1L;

    public FolderException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
