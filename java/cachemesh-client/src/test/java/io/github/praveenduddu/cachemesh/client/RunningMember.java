package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A member that runs the real program, with the password "sesame". */
final class RunningMember implements AutoCloseable {

    static final String PASSWORD = "sesame";

    final Process process;
    final MemberAddress address;
    final String mesh;

    private RunningMember(Process process, String ready) {
        this.process = process;
        String redis = field(ready, "redis");
        int colon = redis.lastIndexOf(':');
        address = MemberAddress.of(redis.substring(0, colon), Integer.parseInt(redis.substring(colon + 1)), PASSWORD);
        mesh = field(ready, "mesh");
    }

    /** Returns the program; without it the tests are left out, but never in CI. */
    static Path program() {
        Path p = Path.of(System.getProperty("cachemesh.binary", "bin/cachemesh")).toAbsolutePath().normalize();
        if (!Files.isExecutable(p)) {
            String message = "there is no program at " + p + ": `make build` makes it; -Dcachemesh.binary=… names another";
            assertThat(System.getenv("CI")).as(message).isNull();
            Assumptions.abort(message);
        }
        return p;
    }

    /** Starts a member that joins others, with further flags. */
    static RunningMember start(List<RunningMember> others, String... flags) throws IOException {
        List<String> command = new ArrayList<>(List.of(program().toString(), "member", "--announce", "--exit-with-stdin",
                "--listen=127.0.0.1:0", "--redis-listen=127.0.0.1:0", "--http-listen=off", "--other-groups",
                "--other-groups-kind=cache", "--log-level=error", "--max-bytes=1MiB"));
        for (RunningMember m : others) {
            command.add("--bootstrap=" + m.mesh);
        }
        command.addAll(List.of(flags));
        ProcessBuilder b = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        b.environment().put("CACHEMESH_REDIS_PASSWORD", PASSWORD);
        Process p = b.start();
        String ready = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8)).readLine();
        assertThat(ready).as("what the member says when it is ready").isNotNull();
        return new RunningMember(p, ready);
    }

    /** Starts a mesh, and waits until its members agree. */
    static List<RunningMember> mesh(int n, String... flags) throws IOException {
        List<RunningMember> all = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            all.add(start(all, flags));
        }
        for (RunningMember m : all) {
            try (CacheMeshClient c = m.client()) {
                until("the members agree", () -> c.info().members().size() == n && c.info().settled());
            }
        }
        return all;
    }

    CacheMeshClient client() {
        return CacheMeshClient.create(ClientOptions.builder(address).build());
    }

    static void until(String what, java.util.function.BooleanSupplier holds) {
        for (long end = System.nanoTime() + Duration.ofSeconds(20).toNanos(); !holds.getAsBoolean(); ) {
            assertThat(System.nanoTime() - end).as(what).isNegative();
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    void signal(String signal) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).inheritIO().start().waitFor()).isZero();
    }

    /** Stops it, and returns when none of its threads runs any more: on a busy machine they answer for a moment after the signal. */
    void stop() throws IOException, InterruptedException {
        signal("STOP");
        Path tasks = Path.of("/proc", String.valueOf(process.pid()), "task");
        if (Files.isDirectory(tasks)) { // Linux
            until("all threads stand still", () -> {
                try (Stream<Path> all = Files.list(tasks)) {
                    return all.allMatch(RunningMember::stands);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    private static boolean stands(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (java.nio.file.NoSuchFileException e) {
            return true; // it has ended
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException | InterruptedException e) {
            process.destroyForcibly();
        }
    }

    private static String field(String json, String name) {
        Matcher m = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        assertThat(m.find()).as(name + " in " + json).isTrue();
        return m.group(1);
    }

}
