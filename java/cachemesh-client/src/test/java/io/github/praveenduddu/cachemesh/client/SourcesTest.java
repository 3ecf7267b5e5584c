package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How large files grow, in all modules: a class that needs more lines has more than one responsibility. */
class SourcesTest {

    private static final int MOST_LINES = 300;

    @Test
    void noFileIsTooLong() throws IOException {
        List<Path> sources;
        try (Stream<Path> all = Files.walk(Path.of("..").toRealPath())) {
            sources = all.filter(p -> p.toString().endsWith(".java")).toList();
        }
        assertThat(sources).hasSizeGreaterThan(100);
        Map<String, Long> tooLong = new TreeMap<>();
        for (Path source : sources) {
            try (Stream<String> lines = Files.lines(source)) {
                long n = lines.count();
                if (n > MOST_LINES) {
                    tooLong.put(source.getFileName().toString(), n);
                }
            }
        }
        assertThat(tooLong).as("files of more than " + MOST_LINES + " lines").isEmpty();
    }
}
