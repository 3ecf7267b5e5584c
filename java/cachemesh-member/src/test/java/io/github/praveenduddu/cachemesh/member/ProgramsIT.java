package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the versions of the program that were unpacked. */
class ProgramsIT {

    @TempDir
    Path temp;

    /** Makes a member of a version: the program with some bytes after its end, which do not change what it does. */
    CacheMeshMember version(int n) throws IOException {
        byte[] program = Files.readAllBytes(Kit.program());
        byte[] own = Arrays.copyOf(program, program.length + n);
        Path jars = Files.createDirectories(temp.resolve("jars-" + n));
        return CacheMeshMember.create(MemberOptions.managed().folder(temp.resolve("folder")).classLoader(Kit.loader(Kit.jar(jars, own)))
                .restartBackoff(Duration.ofMillis(20), Duration.ofSeconds(1)).build());
    }

    List<Path> homes() throws IOException {
        try (Stream<Path> all = Files.list(temp.resolve("folder"))) {
            return all.filter(p -> p.getFileName().toString().length() == 32).toList();
        }
    }

    static void lastWanted(Path home, Duration ago) throws IOException {
        Files.setLastModifiedTime(home, FileTime.from(Instant.now().minus(ago)));
    }

    Path homeOf(CacheMeshMember m) {
        return Path.of(ProcessHandle.of(m.current().pid()).orElseThrow().info().command().orElseThrow()).getParent();
    }

    @Test
    void formerVersionsThatNobodyUsesAreRemoved() throws IOException {
        try (CacheMeshMember used = version(1); CacheMeshMember over = version(2); CacheMeshMember recent = version(3);
                CacheMeshMember next = version(4)) {
            for (CacheMeshMember m : List.of(used, over, recent)) {
                m.start();
            }
            Path usedHome = homeOf(used);
            Path overHome = homeOf(over);
            Path recentHome = homeOf(recent);
            over.stop();
            recent.stop();
            lastWanted(usedHome, Duration.ofHours(2));
            lastWanted(overHome, Duration.ofHours(2));
            lastWanted(recentHome, Duration.ofMinutes(50));
            next.start();
            assertThat(homes()).containsExactlyInAnyOrder(usedHome, recentHome, homeOf(next)).doesNotContain(overHome);
            over.start(); // who had it before has it again
            assertThat(homeOf(over)).isEqualTo(overHome);
        }
    }

    @Test
    void aVersionThatIsWantedAgainIsKeptFromThenOn() throws IOException {
        try (CacheMeshMember old = version(1); CacheMeshMember next = version(2)) {
            old.start();
            Path home = homeOf(old);
            old.stop();
            lastWanted(home, Duration.ofHours(2));
            old.start();
            old.stop();
            next.start();
            assertThat(homes()).contains(home).hasSize(2);
        }
    }
}
