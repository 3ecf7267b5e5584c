package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.Nullable;

/**
 * A member that is ready, as it said when it was.
 *
 * @param host where its clients reach it
 * @param port the port there
 * @param socket its Unix socket, which is then used instead, or null
 * @param password what clients must say, or null for nothing
 * @param name its name in the mesh; "" of an external one
 * @param meshAddress where other members reach it; "" of an external one
 * @param httpAddress host:port of its HTTP API, or null if it has none
 * @param httpToken what HTTP clients must say, or null for nothing
 * @param version the program's version
 * @param protocol the number of what clients and member agree on
 * @param pid its process, or -1 of an external one
 */
public record ReadyMember(String host, int port, @Nullable String socket, @Nullable String password, String name,
        String meshAddress, @Nullable String httpAddress, @Nullable String httpToken, String version, int protocol,
        long pid) {

    /** Says all but the secrets. */
    @Override
    public String toString() {
        return "member " + name + " at " + (socket != null ? socket : host + ":" + port) + ", mesh " + meshAddress
                + ", version " + version + ", pid " + pid;
    }
}
