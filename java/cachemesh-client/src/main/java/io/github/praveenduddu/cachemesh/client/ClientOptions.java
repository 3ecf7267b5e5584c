package io.github.praveenduddu.cachemesh.client;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/** What a {@link CacheMeshClient} is told. Immutable; made by {@link #builder}. */
public final class ClientOptions {

    private final Supplier<MemberAddress> address;
    private final Duration connectTimeout;
    private final Duration timeout;
    private final int waitingConnections;
    private final int maxQueued;
    private final Executor executor;
    private final String name;

    private ClientOptions(Builder b) {
        address = b.address;
        connectTimeout = b.connectTimeout;
        timeout = b.timeout;
        waitingConnections = b.waitingConnections;
        maxQueued = b.maxQueued;
        executor = b.executor;
        name = b.name;
    }

    /** Begins options for a member that stays where it is. */
    public static Builder builder(MemberAddress address) {
        Objects.requireNonNull(address, "address");
        return builder(() -> address);
    }

    /**
     * Begins options for a member that may come back elsewhere: the supplier is asked whenever a connection is made. It
     * must be quick, may be called by several threads, and may throw while there is no member. All that it returns are
     * TCP addresses, or all are Unix sockets.
     */
    public static Builder builder(Supplier<MemberAddress> address) {
        return new Builder(address);
    }

    public Supplier<MemberAddress> address() {
        return address;
    }

    public Duration connectTimeout() {
        return connectTimeout;
    }

    public Duration timeout() {
        return timeout;
    }

    public int waitingConnections() {
        return waitingConnections;
    }

    public int maxQueued() {
        return maxQueued;
    }

    public Executor executor() {
        return executor;
    }

    public String name() {
        return name;
    }

    /** Makes {@link ClientOptions}. Not for several threads at once. */
    public static final class Builder {

        private final Supplier<MemberAddress> address;
        private Duration connectTimeout = Duration.ofSeconds(2);
        private Duration timeout = Duration.ofSeconds(5);
        private int waitingConnections = 16;
        private int maxQueued = 10_000;
        private Executor executor = ForkJoinPool.commonPool();
        private String name = "cachemesh-java";

        private Builder(Supplier<MemberAddress> address) {
            this.address = Objects.requireNonNull(address, "address");
        }

        /** How long a connection may take to be made. Default: 2 s. */
        public Builder connectTimeout(Duration d) {
            connectTimeout = positive("connectTimeout", d);
            return this;
        }

        /**
         * How long an operation waits for its answer, the wait for a connection included; loads, and waits for the
         * loads of others, are not counted. Default: 5 s.
         */
        public Builder timeout(Duration d) {
            timeout = positive("timeout", d);
            return this;
        }

        /**
         * How many connections there may be, besides the one of all operations, for waits for loads that other
         * processes do: so many keys are waited for at once, and further ones take turns. They are made when
         * they are needed. From 1 to 256; default: 16.
         */
        public Builder waitingConnections(int n) {
            if (n < 1 || n > 256) {
                throw new IllegalArgumentException("waitingConnections: " + n + " is not from 1 to 256");
            }
            waitingConnections = n;
            return this;
        }

        /**
         * How many operations may wait for an answer at once; further ones fail at once with
         * {@link CacheMeshUnavailableException}. Default: 10000.
         */
        public Builder maxQueued(int n) {
            if (n < 1) {
                throw new IllegalArgumentException("maxQueued: " + n + " is not positive");
            }
            maxQueued = n;
            return this;
        }

        /**
         * Where loaders of {@link MeshCache#getOrAsync} are called, and what depends on its stages is run. Default:
         * the common pool, whose threads have the class loader of the system.
         */
        public Builder executor(Executor e) {
            executor = Objects.requireNonNull(e, "executor");
            return this;
        }

        /** How the member lists the connections. Default: cachemesh-java. */
        public Builder name(String n) {
            name = Objects.requireNonNull(n, "name");
            return this;
        }

        public ClientOptions build() {
            return new ClientOptions(this);
        }

        private static Duration positive(String what, Duration d) {
            if (d.isNegative() || d.isZero()) {
                throw new IllegalArgumentException(what + ": " + d + " is not positive");
            }
            return d;
        }
    }
}
