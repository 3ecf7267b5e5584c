package io.github.praveenduddu.cachemesh.sample.drive;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An instance of the shop: a JVM of its own, with its member. Safe for concurrent use once it is ready. */
public final class Shop implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    private static final Pattern STARTED = Pattern.compile("Started ShopApplication in ([0-9.]+) seconds");

    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
        .connectTimeout(Duration.ofSeconds(10)).build();

    private final String name;

    private final Process process;

    private final CompletableFuture<Integer> port = new CompletableFuture<>();

    private final CompletableFuture<Double> started = new CompletableFuture<>();

    private final List<String> lines = new ArrayList<>(); // the last ones; guarded by itself

    private Shop(String name, Process process) {
        this.name = name;
        this.process = process;
        Thread reader = new Thread(this::read, "shop-" + name);
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts an instance; it is not waited for.
     *
     * @param jar the application
     * @param name its name in what is printed
     * @param arguments what it is told
     * @return the instance
     */
    public static Shop start(Path jar, String name, String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", jar.toString(), "--server.port=0"));
        command.addAll(List.of(arguments));
        try {
            return new Shop(name, new ProcessBuilder(command).redirectErrorStream(true).start());
        }
        catch (IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private void read() {
        try (BufferedReader in = this.process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                note(line);
            }
        }
        catch (IOException ex) {
            // it has ended
        }
        IllegalStateException ended = new IllegalStateException("shop " + this.name + " has ended: " + output());
        this.port.completeExceptionally(ended);
        this.started.completeExceptionally(ended);
    }

    private void note(String line) {
        synchronized (this.lines) {
            this.lines.add(line);
            if (this.lines.size() > 200) {
                this.lines.remove(0);
            }
        }
        Matcher port = PORT.matcher(line);
        if (port.find()) {
            this.port.complete(Integer.parseInt(port.group(1)));
        }
        Matcher started = STARTED.matcher(line);
        if (started.find()) {
            this.started.complete(Double.parseDouble(started.group(1)));
        }
    }

    /** Returns what it printed last. */
    public String output() {
        synchronized (this.lines) {
            return String.join("\n", this.lines);
        }
    }

    /** Waits until it answers; returns how long its start took, as it says, in seconds. */
    public double ready() {
        return this.started.orTimeout(120, TimeUnit.SECONDS).join();
    }

    /** Returns its name. */
    public String name() {
        return this.name;
    }

    /** Returns the address of one of its pages. */
    public URI uri(String page) {
        return URI.create("http://localhost:" + this.port.join() + page);
    }

    /** Asks for a page without waiting. */
    public CompletableFuture<HttpResponse<String>> ask(String page) {
        return HTTP.sendAsync(HttpRequest.newBuilder(uri(page)).timeout(Duration.ofSeconds(30)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Returns a page, which must be there. */
    public String get(String page) {
        return good(ask(page).join());
    }

    /** Puts something. */
    public String put(String page, String json) {
        return good(HTTP.sendAsync(HttpRequest.newBuilder(uri(page)).timeout(Duration.ofSeconds(30)).header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(json)).build(), HttpResponse.BodyHandlers.ofString()).join());
    }

    private String good(HttpResponse<String> response) {
        if (response.statusCode() >= 300) {
            throw new IllegalStateException("shop " + this.name + " says " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }

    /** Returns how often it read from the database. */
    public long reads() {
        return Long.parseLong(get("/reads"));
    }

    /** Returns its JVM. */
    public ProcessHandle jvm() {
        return this.process.toHandle();
    }

    /** Returns its member, a child of the JVM. */
    public ProcessHandle member() {
        return this.process.toHandle().children().findFirst()
            .orElseThrow(() -> new IllegalStateException("shop " + this.name + " has no member: " + output()));
    }

    @Override
    public void close() {
        this.process.destroy();
        try {
            if (!this.process.waitFor(30, TimeUnit.SECONDS)) {
                this.process.destroyForcibly();
            }
        }
        catch (InterruptedException ex) {
            this.process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
