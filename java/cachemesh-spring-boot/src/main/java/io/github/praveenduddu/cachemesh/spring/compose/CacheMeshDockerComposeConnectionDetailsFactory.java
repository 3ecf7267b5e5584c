package io.github.praveenduddu.cachemesh.spring.compose;

import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshConnectionDetails;

import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionDetailsFactory;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionSource;

/** Finds the member in a service of the image {@code cachemesh}. */
class CacheMeshDockerComposeConnectionDetailsFactory
        extends DockerComposeConnectionDetailsFactory<CacheMeshConnectionDetails> {

    private static final String[] IMAGES = { "cachemesh", "praveenduddu/cachemesh", "ghcr.io/praveenduddu/cachemesh" };

    private static final int PORT = 6379;

    CacheMeshDockerComposeConnectionDetailsFactory() {
        super(IMAGES);
    }

    @Override
    protected CacheMeshConnectionDetails getDockerComposeConnectionDetails(DockerComposeConnectionSource source) {
        return new Details(source.getRunningService());
    }

    static final class Details extends DockerComposeConnectionDetails implements CacheMeshConnectionDetails {

        private final MemberAddress address;

        private Details(RunningService service) {
            super(service);
            this.address = MemberAddress.of(service.host(), service.ports().get(PORT),
                    service.env().get("CACHEMESH_REDIS_PASSWORD"));
        }

        @Override
        public MemberAddress getAddress() {
            return this.address;
        }
    }
}
