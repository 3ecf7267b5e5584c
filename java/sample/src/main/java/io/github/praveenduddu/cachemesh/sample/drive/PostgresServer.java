package io.github.praveenduddu.cachemesh.sample.drive;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A server of PostgreSQL of its own, of Debian's packages: a folder and a port that are gone afterwards. Nothing of a
 * server that runs already is touched. As it refuses to run as root, it runs as {@code postgres} then.
 */
public final class PostgresServer implements AutoCloseable {

    static final String USER = "cachemesh";

    private static final Path PACKAGES = Path.of("/usr/lib/postgresql");

    private static final int TRIES = 5;

    private final Path bin;

    private final Path folder;

    private int port;

    private PostgresServer(Path bin, Path folder) {
        this.bin = bin;
        this.folder = folder;
    }

    /** Returns whether there is a server to run. */
    public static boolean installed() {
        return programs().isPresent();
    }

    private static Optional<Path> programs() {
        if (!Files.isDirectory(PACKAGES)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(PACKAGES)) {
            return versions.map((version) -> version.resolve("bin")).filter((bin) -> Files.isExecutable(bin.resolve("initdb")))
                .max(Comparator.comparingInt((bin) -> Integer.parseInt(bin.getParent().getFileName().toString().replaceAll("\\D.*", ""))));
        }
        catch (IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    static PostgresServer start() {
        Path bin = programs().orElseThrow(() -> new IllegalStateException("no PostgreSQL server under " + PACKAGES + ": apt-get install postgresql"));
        try {
            PostgresServer server = new PostgresServer(bin, Files.createTempDirectory("cachemesh-postgres"));
            if (isRoot()) {
                server.run("chown", "postgres", server.folder.toString());
            }
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            server.begin();
            return server;
        }
        catch (IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private void begin() {
        String data = this.folder.resolve("data").toString();
        mine("initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync");
        IllegalStateException last = new IllegalStateException("it was not tried");
        for (int i = 0; i < TRIES; i++) { // a port that is free now may be taken in a moment
            this.port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try {
                mine("pg_ctl", "-D", data, "-l", this.folder.resolve("server.log").toString(), "-w", "-t", "30", "-o",
                        "-c listen_addresses=127.0.0.1 -c port=" + this.port + " -c unix_socket_directories=" + this.folder + " -c fsync=off", "start");
                return;
            }
            catch (IllegalStateException ex) {
                last = ex;
            }
        }
        throw last;
    }

    int port() {
        return this.port;
    }

    String version() {
        return run(this.bin.resolve("postgres").toString(), "--version").replaceAll("^postgres \\(PostgreSQL\\) ([0-9.]+).*", "PostgreSQL $1").strip();
    }

    /** Runs a program of the server as the user that it may be run as. */
    private String mine(String program, String... arguments) {
        List<String> command = new ArrayList<>(isRoot() ? List.of("runuser", "-u", "postgres", "--") : List.of());
        command.add(this.bin.resolve(program).toString());
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    /** Runs a program, and returns what it said. That goes into a file, for what it starts keeps its output open. */
    private String run(String... command) {
        try {
            Path said = Files.createTempFile("cachemesh-postgres", ".log");
            try {
                int code = new ProcessBuilder(command).directory(new File("/")).redirectErrorStream(true).redirectOutput(said.toFile()).start().waitFor();
                if (code != 0) {
                    throw new IllegalStateException(String.join(" ", command) + " ended with " + code + ": " + Files.readString(said));
                }
                return Files.readString(said);
            }
            finally {
                Files.delete(said);
            }
        }
        catch (IOException ex) {
            throw new UncheckedIOException(ex);
        }
        catch (InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(ex);
        }
    }

    @Override
    public synchronized void close() {
        if (Files.exists(this.folder)) {
            if (Files.exists(this.folder.resolve("data").resolve("postmaster.pid"))) {
                mine("pg_ctl", "-D", this.folder.resolve("data").toString(), "-m", "immediate", "-w", "stop");
            }
            run("rm", "-rf", this.folder.toString());
        }
    }
}
