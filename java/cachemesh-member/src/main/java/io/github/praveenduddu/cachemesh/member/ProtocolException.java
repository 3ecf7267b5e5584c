package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/** The program speaks another version of the protocol, or is not cachemesh at all. */
public class ProtocolException extends MemberException {

    private static final long serialVersionUID = 1L;

    public ProtocolException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
