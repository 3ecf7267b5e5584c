package io.github.praveenduddu.cachemesh.spring.testcontainers;

import java.util.Map;

import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshConnectionDetails;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetailsFactory;
import org.springframework.core.io.support.SpringFactoriesLoader;

import static org.assertj.core.api.Assertions.assertThat;

/** Without Docker: what is made of what a container says. */
class CacheMeshContainerConnectionDetailsFactoryTests {

    @Test
    void theAddressIsThatOfTheMappedPort() {
        assertThat(CacheMeshContainerConnectionDetailsFactory.address("docker", 4711, Map.of("CACHEMESH_REDIS_PASSWORD", "p")))
            .isEqualTo(MemberAddress.of("docker", 4711, "p"));
        assertThat(CacheMeshContainerConnectionDetailsFactory.address("docker", 1, Map.of()).password()).isNull();
    }

    @Test
    void springBootFindsTheFactories() {
        assertThat(SpringFactoriesLoader.forDefaultResourceLocation().load(ConnectionDetailsFactory.class))
            .hasAtLeastOneElementOfType(CacheMeshContainerConnectionDetailsFactory.class)
            .anyMatch((factory) -> factory.getClass().getSimpleName().equals("CacheMeshDockerComposeConnectionDetailsFactory"));
        assertThat(CacheMeshConnectionDetails.class).isAssignableFrom(CacheMeshContainerConnectionDetailsFactory.Details.class);
    }
}
