package io.github.praveenduddu.cachemesh.client;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a member answers its clients.
 *
 * @param host a name or an address; unused with {@code socket}
 * @param port its port; unused with {@code socket}
 * @param socket the path of a Unix socket, or null for TCP
 * @param password what the member asks for, or null for nothing
 */
public record MemberAddress(String host, int port, @Nullable String socket, @Nullable String password) {

    public MemberAddress {
        Objects.requireNonNull(host, "host");
        if (socket == null && (port < 1 || port > 65535)) {
            throw new IllegalArgumentException("port: " + port + " is not from 1 to 65535");
        }
    }

    /** Returns the address of a member that answers by TCP. */
    public static MemberAddress of(String host, int port, @Nullable String password) {
        return new MemberAddress(host, port, null, password);
    }

    /** Returns the address of a member that answers at a Unix socket, for which Netty's native transport must be there. */
    public static MemberAddress ofSocket(String path, @Nullable String password) {
        return new MemberAddress("localhost", 0, Objects.requireNonNull(path, "path"), password);
    }

    /** Says the address without the password. */
    @Override
    public String toString() {
        return socket != null ? socket : host + ":" + port;
    }
}
