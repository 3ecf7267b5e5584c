package io.github.praveenduddu.cachemesh.member;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A member that runs already. It is asked whether it answers, and is left alone otherwise. */
final class ExternalMember implements CacheMeshMember {

    private static final Logger log = LoggerFactory.getLogger(CacheMeshMember.class);
    private static final int PATIENCE_MS = 2_000;
    private static final long PAUSE_MS = 100; // between two tries to reach it at first

    private final MemberOptions options;
    private final String at;
    private final List<MemberListener> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable ReadyMember ready;
    private volatile Instant since = Instant.now();

    ExternalMember(MemberOptions options) {
        this.options = options;
        at = options.externalHost() + ":" + options.externalPort();
    }

    /** Waits for it, since a sidecar may begin later than this process. */
    @Override
    public void start() {
        if (ready != null) {
            return;
        }
        long end = System.nanoTime() + options.startTimeout().toNanos();
        while (true) {
            try {
                ReadyMember m = ask();
                ready = m;
                since = Instant.now();
                Foreign.say(() -> log.info("{} answers", m));
                tell(l -> l.ready(m));
                return;
            } catch (IOException e) {
                if (System.nanoTime() - end > 0) {
                    throw new ExternalMemberException("the member at " + at + " cannot be reached: " + e.getMessage()
                            + "; it must run already in the mode external", e);
                }
            }
            try {
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ExternalMemberException("interrupted while waiting for the member at " + at, e);
            }
        }
    }

    private ReadyMember ask() throws IOException {
        try (Socket s = new Socket()) {
            s.connect(new InetSocketAddress(options.externalHost(), options.externalPort()), PATIENCE_MS);
            s.setSoTimeout(PATIENCE_MS);
            BufferedReader in = new BufferedReader(new InputStreamReader(s.getInputStream(), StandardCharsets.UTF_8));
            String password = options.externalPassword();
            if (password != null) {
                String said = say(s, in, "AUTH", "default", password);
                if (said.startsWith("-WRONGPASS")) {
                    throw new ExternalMemberException("the member at " + at + " does not take the password", null);
                }
            }
            String begin = say(s, in, "INFO", "server");
            if (begin.startsWith("-NOAUTH")) {
                throw new ExternalMemberException("the member at " + at + " asks for a password, and none is set", null);
            }
            Map<String, String> info = begin.startsWith("$") ? lines(in, Integer.parseInt(begin.substring(1))) : Map.of();
            String protocol = info.get("cachemesh_protocol");
            String version = info.get("cachemesh_version");
            if (protocol == null) {
                throw new ProtocolException("what answers at " + at + " is no member of CacheMesh"
                        + (version == null ? "" : ", or an old one: " + version), null);
            }
            if (!protocol.equals(String.valueOf(PROTOCOL))) {
                throw new ProtocolException("the member at " + at + " (" + version + ") speaks protocol " + protocol + ", and this library " + PROTOCOL
                        + ": use the same version of both", null);
            }
            return new ReadyMember(Objects.requireNonNull(options.externalHost()), options.externalPort(), null, password, "", "", null, null,
                    String.valueOf(version), PROTOCOL, -1);
        } catch (NumberFormatException e) {
            throw new ProtocolException("what answers at " + at + " is no member of CacheMesh", e);
        }
    }

    private static String say(Socket s, BufferedReader in, String... words) throws IOException {
        StringBuilder b = new StringBuilder("*" + words.length + "\r\n");
        for (String w : words) {
            b.append('$').append(w.getBytes(StandardCharsets.UTF_8).length).append("\r\n").append(w).append("\r\n");
        }
        OutputStream out = s.getOutputStream();
        out.write(b.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
        String line = in.readLine();
        if (line == null) {
            throw new IOException("it closed the connection");
        }
        return line;
    }

    private static Map<String, String> lines(BufferedReader in, int length) throws IOException {
        Map<String, String> all = new HashMap<>();
        for (int read = 0; read < length; ) {
            String line = in.readLine();
            if (line == null) {
                break;
            }
            read += line.length() + 2;
            int colon = line.indexOf(':');
            if (colon > 0) {
                all.put(line.substring(0, colon), line.substring(colon + 1));
            }
        }
        return all;
    }

    @Override
    public void stop() {
        if (ready != null) {
            ready = null;
            since = Instant.now();
            tell(MemberListener::stopped);
        }
    }

    @Override
    public void restart() {}

    @Override
    public ReadyMember current() {
        ReadyMember m = ready;
        if (m == null) {
            throw new MemberException("there is no member now: it was not started", null);
        }
        return m;
    }

    @Override
    public MemberHealth health() {
        if (ready == null) {
            return new MemberHealth(MemberState.STOPPED, since, "it was not started", 0, -1);
        }
        try {
            ask();
            return new MemberHealth(MemberState.READY, since, null, 0, -1);
        } catch (IOException | MemberException e) {
            return new MemberHealth(MemberState.RESTARTING, since, "the member at " + at + " does not answer: " + e.getMessage(), 0, -1);
        }
    }

    @Override
    public void addListener(MemberListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        ReadyMember m = ready;
        if (m != null) {
            listener.ready(m);
        }
    }

    @Override
    public void removeListener(MemberListener listener) {
        listeners.remove(listener);
    }

    private void tell(Consumer<MemberListener> what) {
        listeners.forEach(l -> Foreign.tell(l, what));
    }

    @Override
    public void close() {
        stop();
    }
}
