package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.MemberAddress;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Where the member is that this application talks to. A bean of this type, as Testcontainers and Docker Compose make
 * it, takes the place of the member that the application would start.
 */
@FunctionalInterface
public interface CacheMeshConnectionDetails extends ConnectionDetails {

    /**
     * Returns the address of the member's Redis port, and its password. It is asked for whenever a connection is made,
     * by several threads, and may throw while there is no member.
     *
     * @return where the member is now
     */
    MemberAddress getAddress();
}
