package io.github.praveenduddu.cachemesh.member;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A run of the program as a child of this process. */
final class Child {

    private static final SecureRandom random = new SecureRandom();
    private static final Duration GRACE = Duration.ofSeconds(1); // beyond the time that a child has to leave
    private static final Duration MOST_LOCKED = Duration.ofSeconds(5); // by other JVMs that start members
    private static final int BUSY_TRIES = 50; // of 20 ms
    private static final int ERROR_MAX = 2_000; // characters of what a child said last

    final Process process;
    final ReadyMember ready;
    private final Output output;
    private final @Nullable Folder folder;
    private final String mesh;

    private Child(Process process, ReadyMember ready, Output output, @Nullable Folder folder, String mesh) {
        this.process = process;
        this.ready = ready;
        this.output = output;
        this.folder = folder;
        this.mesh = mesh;
    }

    /** Starts the program, and waits until it is ready. {@code begun} is given the process as soon as there is one. */
    static Child start(MemberOptions o, String name, String listen, Consumer<Process> begun) {
        String groups = Settings.groups(o);
        Folder folder = o.binary() == null || o.findLocalMembers() || groups != null ? Folder.open(o.folder()) : null;
        Path program = o.binary() != null ? o.binary() : unpack(o, folder);
        if (!Files.isRegularFile(program)) {
            throw new ProgramMissingException("there is no program at " + program, null);
        }
        Platform.check(program);
        String mesh = Settings.meshId(o);
        Path config = groups == null || folder == null ? null : folder.writeOwn(".yaml", groups);
        try (Folder.Lock lock = o.findLocalMembers() && folder != null ? folder.lockMembers(mesh, MOST_LOCKED) : null) {
            List<String> others = o.findLocalMembers() && folder != null ? folder.members(mesh) : o.bootstrapNodes();
            List<String> command = new ArrayList<>(List.of(program.toString()));
            command.addAll(Settings.flags(o, name, listen, others));
            if (config != null) {
                command.add("--config=" + config);
            }
            Child child = run(o, command, folder, mesh, begun);
            if (o.findLocalMembers() && folder != null) {
                folder.note(mesh, child.ready.pid(), child.ready.meshAddress());
            }
            return child;
        } catch (IOException e) {
            throw new FolderException("a lock could not be given back: " + e, e);
        } finally {
            delete(config);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }

    private static Path unpack(MemberOptions o, @Nullable Folder folder) {
        String file = Platform.windows() ? "cachemesh.exe" : "cachemesh";
        String path = "META-INF/cachemesh/" + Platform.here() + "/" + file;
        URL resource = o.classLoader().getResource(path);
        if (resource == null || folder == null) {
            throw new ProgramMissingException("there is no program for " + Platform.here() + " on the class path: " + Platform.advice()
                    + "; or connect to a member that runs already (external)", null);
        }
        return new Programs(folder).unpack(resource, file, o.startTimeout());
    }

    private static Child run(MemberOptions o, List<String> command, @Nullable Folder folder, String mesh, Consumer<Process> begun) {
        String password = secret();
        String token = o.httpPort() == null ? null : secret();
        ProcessBuilder b = new ProcessBuilder(command);
        Settings.environment(b.environment(), o, password, token);
        Process p = execute(b);
        try {
            begun.accept(p);
            Output output = new Output(p);
            String line = firstLine(o, p, output, command.get(0));
            return new Child(p, ready(line, password, token, command.get(0)), output, folder, mesh);
        } catch (RuntimeException | Error e) { // an error, as when there is no thread to be had
            p.destroyForcibly();
            throw e;
        }
    }

    private static String firstLine(MemberOptions o, Process p, Output output, String program) {
        try {
            String line = output.firstLine.get(o.startTimeout().toNanos(), TimeUnit.NANOSECONDS);
            if (line == null) {
                p.waitFor(1, TimeUnit.SECONDS);
                throw failed(p, output.last(), program);
            }
            return line;
        } catch (TimeoutException e) {
            p.destroyForcibly(); // then it has said all
            throw new StartTimeoutException("the member was not ready within " + o.startTimeout() + " and was ended; it said last: " + output.last(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartFailedException("interrupted while the member was started; it was ended", e);
        } catch (ExecutionException e) {
            throw new StartFailedException("the member's output cannot be read: " + e, e);
        }
    }

    private static Process execute(ProcessBuilder b) {
        String program = b.command().get(0);
        for (int tried = 1; ; tried++) {
            try {
                return b.start();
            } catch (IOException e) {
                String m = String.valueOf(e.getMessage());
                if (m.contains("error=26") && tried < BUSY_TRIES) { // another thread forked while the program was written
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
                    continue;
                }
                if (m.contains("error=13") || m.contains("error=1,")) {
                    throw new NotExecutableException("the program " + program + " may not be run there, as in a folder that is mounted noexec: set the"
                            + " member's folder to one that allows programs (" + m + ")", e);
                }
                if (m.contains("error=8") || m.contains("error=193")) {
                    throw new WrongArchitectureException("the program " + program + " is not for this system, " + Platform.here() + " (" + m + ")", e);
                }
                throw new StartFailedException("the program " + program + " cannot be started: " + m, e);
            }
        }
    }

    private static MemberException failed(Process p, String said, String program) {
        String text = said.length() > ERROR_MAX ? said.substring(said.length() - ERROR_MAX) : said;
        if (text.contains("address already in use") || text.contains("Only one usage of each socket address")) {
            return new PortTakenException("a port of the member is another process's: " + text, null);
        }
        if (text.contains("unknown flag: --announce") || text.contains("unknown flag: --exit-with-stdin")) {
            return new ProtocolException("the program " + program + " is of an older version than this library: " + text, null);
        }
        String code = p.isAlive() ? "it closed its output" : "it ended with " + p.exitValue();
        return new StartFailedException("the member did not start: " + code + (text.isEmpty() ? ", and said nothing" : ", and said: " + text), null);
    }

    private static ReadyMember ready(String line, String password, @Nullable String token, String program) {
        Map<String, @Nullable Object> said = Json.object(line);
        if (said == null || !"ready".equals(said.get("event"))) {
            throw new ProtocolException("the program " + program + " is not cachemesh: it said " + line.substring(0, Math.min(line.length(), 200)), null);
        }
        if (!Long.valueOf(CacheMeshMember.PROTOCOL).equals(said.get("protocol"))) {
            throw new ProtocolException("the program " + program + " (" + said.get("version") + ") speaks protocol " + said.get("protocol")
                    + ", and this library " + CacheMeshMember.PROTOCOL + ": use the same version of both", null);
        }
        String redis = String.valueOf(said.get("redis"));
        int colon = redis.lastIndexOf(':');
        if (colon < 0 || !(said.get("pid") instanceof Long pid)) {
            throw new ProtocolException("the program " + program + " does not say where it listens: " + line, null);
        }
        Object http = said.get("http");
        return new ReadyMember(redis.substring(0, colon), Integer.parseInt(redis.substring(colon + 1)), (String) said.get("socket"), password,
                String.valueOf(said.get("name")), String.valueOf(said.get("mesh")), http == null ? null : http.toString(), token,
                String.valueOf(said.get("version")), CacheMeshMember.PROTOCOL, pid);
    }

    private static String secret() {
        byte[] b = new byte[24];
        random.nextBytes(b);
        return HexFormat.of().formatHex(b);
    }

    /** Returns why it has ended, in plain words. */
    String reason() {
        String said = output.complaint();
        return "the member's process " + process.pid() + " ended with " + process.exitValue() + (said == null ? "" : "; it said: " + said);
    }

    /** Lets it leave in order, and waits for that; one that takes too long is ended. */
    void stop(Duration timeout) {
        forget();
        try {
            if (Platform.windows()) {
                process.getOutputStream().close(); // there are no signals
            } else {
                process.toHandle().destroy(); // Process.destroy would close its standard input, too
            }
            if (process.waitFor(timeout.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (IOException e) {
            // it is ended below
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
    }

    /** Says to other JVMs that it does not run any more. */
    void forget() {
        if (folder != null) {
            folder.forget(mesh, ready.pid());
        }
    }
}
