package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** What an editor shows of each property. */
class MetadataTests {

    private static Map<String, JsonNode> properties() throws Exception {
        Map<String, JsonNode> all = new TreeMap<>();
        for (String name : List.of("spring-configuration-metadata.json")) {
            try (InputStream in = MetadataTests.class.getResourceAsStream("/META-INF/" + name)) {
                assertThat(in).as(name).isNotNull();
                for (JsonNode property : JsonMapper.shared().readTree(in).get("properties")) {
                    all.put(property.get("name").asString(), property);
                }
            }
        }
        return all;
    }

    private static void names(String prefix, Class<?> type, Collection<String> names) {
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + "." + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase();
            if (component.getType().isRecord()) {
                names(name, component.getType(), names);
            }
            else {
                names.add(name);
            }
        }
    }

    @Test
    void everyPropertyIsDescribed() throws Exception {
        List<String> names = new ArrayList<>(List.of("management.endpoint.cachemesh.access", "management.health.cachemesh.enabled"));
        names("cachemesh", CacheMeshProperties.class, names);
        Map<String, JsonNode> properties = properties();
        assertThat(names).hasSizeGreaterThan(35).allSatisfy((name) -> {
            JsonNode property = properties.get(name);
            assertThat(property).as(name).isNotNull();
            assertThat(property.path("description").asString("")).as(name).hasSizeGreaterThan(20).endsWith(".");
            assertThat(property.has("type")).as(name).isTrue();
        });
        assertThat(properties.keySet().stream().filter((name) -> name.startsWith("cachemesh."))).allMatch(names::contains);
    }

    @Test
    void everyPropertyIsInTheReadme() throws Exception {
        String readme = java.nio.file.Files.readString(java.nio.file.Path.of("..", "README.md"));
        assertThat(properties().keySet().stream().filter((name) -> !name.equals("cachemesh.caches") && !name.endsWith("time-to-live")))
            .allSatisfy((name) -> assertThat(readme).contains("| `" + name + "` |"));
    }
}
