package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members of JVMs that end, in whatever way. */
class JvmIT {

    @TempDir
    Path temp;

    Path jar;
    final List<Process> begun = new ArrayList<>();

    @BeforeEach
    void pack() throws Exception {
        jar = Kit.jar(temp, Files.readAllBytes(Kit.program()));
    }

    /** Begins a JVM. */
    Process begin() throws Exception {
        return begin(List.of(), List.of());
    }

    Process begin(List<String> before, List<String> after) throws Exception {
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-cp", classes, JvmMain.class.getName(), temp.resolve("folder").toString(), jar.toString()));
        command.addAll(after);
        Process p = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        begun.add(p);
        return p;
    }

    @AfterEach
    void end() {
        begun.forEach(Process::destroyForcibly);
    }

    /** Returns the process of its member, once that is ready. */
    static long member(Process jvm) throws Exception {
        return member(new BufferedReader(new InputStreamReader(jvm.getInputStream())));
    }

    private static long member(BufferedReader said) throws Exception {
        String line = said.readLine();
        while (line != null && !line.startsWith("pid ")) { // its log
            line = said.readLine();
        }
        assertThat(line).as("what the JVM said last").isNotNull();
        return Long.parseLong(line.substring(4));
    }

    @Test
    void noOrphansOfJvmsThatAreKilled() throws Exception {
        List<Long> took = new ArrayList<>();
        Process next = begin();
        for (int i = 0; i < 20; i++) {
            Process jvm = next;
            next = i < 19 ? begin() : null; // it begins while this one ends
            long member = member(jvm);
            assertThat(Kit.gone(member)).isFalse();
            long begin = System.nanoTime();
            Kit.kill(jvm.pid());
            Kit.until("the member of a JVM that was killed is gone", Duration.ofSeconds(2), () -> Kit.gone(member));
            took.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
        }
        took.sort(null);
        System.out.println("member: gone after kill -9 of its JVM, ms, sorted: " + took);
    }

    @Test
    void noOrphansOfJvmsThatEnd() throws Exception {
        Process exits = begin();
        Process terminated = begin();
        long one = member(exits);
        long two = member(terminated);
        exits.getOutputStream().write('e');
        exits.getOutputStream().flush();
        terminated.toHandle().destroy();
        Kit.until("they are gone", Duration.ofSeconds(4), () -> Kit.gone(one) && Kit.gone(two));
    }

    /** Ctrl-C, and what ends all processes of a service, send a signal to the JVM and to its member. */
    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void aSignalToAllStartsNoMemberAgain(String signal) throws Exception {
        Process jvm = begin(List.of("env", "--default-signal=INT", "setsid"), List.of("stays"));
        BufferedReader said = new BufferedReader(new InputStreamReader(jvm.getInputStream()));
        long member = member(said);
        assertThat(new ProcessBuilder("kill", "-" + signal, "--", "-" + jvm.pid()).inheritIO().start().waitFor()).isZero();
        List<String> rest = said.lines().toList();
        assertThat(rest).noneMatch(l -> l.contains("ready in"))
                .contains("at the end " + (signal.equals("INT") ? "READY" : "RESTARTING") + " 0");
        Kit.until("the member is gone", Duration.ofSeconds(4), () -> Kit.gone(member));
    }

    @Test
    void severalJvmsUnpackAtOnce() throws Exception {
        for (int round = 0; round < 3; round++) {
            List<Process> jvms = List.of(begin(), begin(), begin());
            List<Long> members = new ArrayList<>();
            for (Process p : jvms) {
                members.add(member(p));
            }
            try (var files = Files.walk(temp.resolve("folder"))) {
                List<String> names = files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()).toList();
                assertThat(names).containsOnlyOnce("cachemesh").noneMatch(n -> n.endsWith(".part"));
            }
            for (Process p : jvms) {
                Kit.kill(p.pid());
            }
            Kit.until("they are gone", Duration.ofSeconds(4), () -> members.stream().allMatch(Kit::gone));
            deleteAll(temp.resolve("folder"));
        }
    }

    private static void deleteAll(Path folder) throws Exception {
        try (var files = Files.walk(folder)) {
            for (Path f : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(f);
            }
        }
    }
}
