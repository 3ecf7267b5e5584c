package io.github.praveenduddu.cachemesh.member;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What a child says: its log goes to SLF4J, under the name of this class, and the end of it is remembered. */
final class Output {

    private static final Logger log = LoggerFactory.getLogger(Output.class);
    private static final int REMEMBERED = 20; // lines
    private static final int MOST_LINE = 2_000; // characters of one that is remembered

    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private final Deque<String> last = new ArrayDeque<>();
    private @Nullable String complaint; // the last line that is more than information

    private final Thread errReader;
    private final Thread outReader;
    final CompletableFuture<@Nullable String> firstLine = new CompletableFuture<>(); // of standard output; null: it had none

    Output(Process p) {
        errReader = reader("cachemesh-log-" + p.pid(), p.getErrorStream(), false);
        outReader = reader("cachemesh-out-" + p.pid(), p.getInputStream(), true);
    }

    private Thread reader(String name, InputStream in, boolean out) {
        Thread t = new Thread(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                for (String line; (line = lines.readLine()) != null; ) {
                    if (!out || !firstLine.complete(line)) {
                        said(line);
                    }
                }
            } catch (IOException e) {
                // the child is gone
            } finally {
                if (out) {
                    firstLine.complete(null);
                }
            }
        }, name);
        t.setDaemon(true);
        t.start();
        return t;
    }

    private void said(String line) {
        Map<String, @Nullable Object> m = Json.object(line);
        Level level = Level.WARN; // what is no line of the log says why it ends
        String text = line;
        if (m != null && m.get("msg") != null) {
            level = switch (String.valueOf(m.get("level"))) {
                case "DEBUG" -> Level.DEBUG;
                case "INFO" -> Level.INFO;
                case "ERROR" -> Level.ERROR;
                default -> Level.WARN;
            };
            StringBuilder b = new StringBuilder(String.valueOf(m.get("msg")));
            m.forEach((name, value) -> {
                if (!name.equals("msg") && !name.equals("level") && !name.equals("time")) {
                    b.append(' ').append(name).append('=').append(value);
                }
            });
            text = b.toString();
        }
        lock.lock();
        try {
            if (last.size() == REMEMBERED) {
                last.removeFirst();
            }
            String kept = text.substring(0, Math.min(text.length(), MOST_LINE));
            last.addLast(kept);
            if (level == Level.WARN || level == Level.ERROR) {
                complaint = kept;
            }
        } finally {
            lock.unlock();
        }
        Level at = level;
        String whole = text;
        Foreign.say(() -> log.atLevel(at).log("{}", whole)); // if that fails the child's pipe must not fill
    }

    private void awaitEnd() {
        try {
            errReader.join(1_000);
            outReader.join(1_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns what a child that has ended complained of last, or null. */
    @Nullable String complaint() {
        awaitEnd();
        lock.lock();
        try {
            return complaint;
        } finally {
            lock.unlock();
        }
    }

    /** Returns the last lines, once a child that has ended has said all. */
    String last() {
        awaitEnd();
        lock.lock();
        try {
            return String.join("\n", last);
        } finally {
            lock.unlock();
        }
    }
}
