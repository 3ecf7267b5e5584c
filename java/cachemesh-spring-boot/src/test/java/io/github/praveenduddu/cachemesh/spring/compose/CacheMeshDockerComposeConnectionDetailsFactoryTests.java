package io.github.praveenduddu.cachemesh.spring.compose;

import java.util.List;
import java.util.Map;

import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshConnectionDetails;
import org.junit.jupiter.api.Test;
import org.springframework.boot.docker.compose.core.ConnectionPorts;
import org.springframework.boot.docker.compose.core.DockerComposeFile;
import org.springframework.boot.docker.compose.core.ImageReference;
import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionSource;
import org.springframework.core.env.Environment;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.util.ReflectionUtils;

import static org.assertj.core.api.Assertions.assertThat;

/** Without Docker: what is made of what a service says. */
class CacheMeshDockerComposeConnectionDetailsFactoryTests {

    private static CacheMeshConnectionDetails details(String image) throws Exception {
        RunningService service = new Service(image);
        var constructor = DockerComposeConnectionSource.class.getDeclaredConstructors()[0];
        ReflectionUtils.makeAccessible(constructor);
        Object[] args = (constructor.getParameterCount() == 1) ? new Object[] { service }
                : new Object[] { service, (Environment) new MockEnvironment() };
        DockerComposeConnectionSource source = (DockerComposeConnectionSource) constructor.newInstance(args);
        return new CacheMeshDockerComposeConnectionDetailsFactory().getConnectionDetails(source);
    }

    @Test
    void aServiceOfTheImageIsAMember() throws Exception {
        assertThat(details("ghcr.io/praveenduddu/cachemesh:1.0").getAddress()).isEqualTo(MemberAddress.of("docker", 6379 + 1, "p"));
        assertThat(details("cachemesh").getAddress().port()).isEqualTo(6380);
    }

    @Test
    void aServiceOfAnotherImageIsNone() throws Exception {
        assertThat(details("redis:7")).isNull();
    }

    private record Service(String imageName) implements RunningService {

        @Override
        public String name() {
            return "cache";
        }

        @Override
        public ImageReference image() {
            return ImageReference.of(this.imageName);
        }

        @Override
        public String host() {
            return "docker";
        }

        @Override
        public ConnectionPorts ports() {
            return new ConnectionPorts() {
                @Override
                public int get(int port) {
                    return port + 1;
                }

                @Override
                public List<Integer> getAll() {
                    return List.of();
                }

                @Override
                public List<Integer> getAll(String protocol) {
                    return List.of();
                }
            };
        }

        @Override
        public Map<String, String> env() {
            return Map.of("CACHEMESH_REDIS_PASSWORD", "p");
        }

        @Override
        public Map<String, String> labels() {
            return Map.of();
        }

        @Override
        public DockerComposeFile composeFile() {
            return null;
        }
    }
}
