package io.github.praveenduddu.cachemesh.spring.testcontainers;

import java.util.List;
import java.util.Map;

import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshConnectionDetails;
import org.testcontainers.containers.Container;

import org.springframework.boot.testcontainers.service.connection.ContainerConnectionDetailsFactory;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionSource;

/** Finds the member in a container of the image {@code cachemesh} that a test marks with {@code @ServiceConnection}. */
class CacheMeshContainerConnectionDetailsFactory
        extends ContainerConnectionDetailsFactory<Container<?>, CacheMeshConnectionDetails> {

    static final int PORT = 6379;

    private static final List<String> IMAGES = List.of("cachemesh", "praveenduddu/cachemesh", "ghcr.io/praveenduddu/cachemesh");

    CacheMeshContainerConnectionDetailsFactory() {
        super(IMAGES);
    }

    @Override
    protected CacheMeshConnectionDetails getContainerConnectionDetails(ContainerConnectionSource<Container<?>> source) {
        return new Details(source);
    }

    static final class Details extends ContainerConnectionDetails<Container<?>> implements CacheMeshConnectionDetails {

        private Details(ContainerConnectionSource<Container<?>> source) {
            super(source);
        }

        @Override
        public MemberAddress getAddress() {
            Container<?> container = getContainer();
            return address(container.getHost(), container.getMappedPort(PORT), container.getEnvMap());
        }
    }

    static MemberAddress address(String host, int port, Map<String, String> environment) {
        return MemberAddress.of(host, port, environment.get("CACHEMESH_REDIS_PASSWORD"));
    }
}
