package io.github.praveenduddu.cachemesh.client;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.ArrayOutput;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The connections to the member. That of all operations is made when it is needed; after a failure operations fail
 * with that for a moment, longer and longer, before it is tried again; after two, only the one that tries waits for the next.
 * Nothing is sent twice.
 */
final class Connections {

    private static final long BACKOFF = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int MOST_DOUBLINGS = 5;
    private static final int MOST_VALUE = 16 << 20; // of a member that does not say

    final LongAdder made = new LongAdder();
    private final ClientOptions options;

    /** Lettuce, with its threads. It is made with the first connection, for it takes time that an application's start need not. */
    private record Lettuce(ClientResources resources, RedisClient client) {}

    private final ReentrantLock lock = new ReentrantLock(); // guards what follows; volatile fields are read without it
    private volatile @Nullable StatefulRedisConnection<byte[], byte[]> current;
    private @Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connecting;
    private int failures;
    private long notBefore;
    private @Nullable CacheMeshException failure;
    private @Nullable MemberAddress failedAt;
    private volatile boolean closed;
    private @Nullable Lettuce lettuce;
    private volatile long answered = System.nanoTime();
    private volatile int mostValue = MOST_VALUE; // bytes that the member takes as one value

    Connections(ClientOptions options) {
        this.options = options;
    }

    private RedisClient client() {
        lock.lock();
        try {
            if (closed) {
                throw new CacheMeshUnavailableException("this client is closed", null);
            }
            if (lettuce == null) {
                lettuce = lettuce(options);
            }
            return lettuce.client;
        } finally {
            lock.unlock();
        }
    }

    private static Lettuce lettuce(ClientOptions options) {
        ClientResources resources = DefaultClientResources.builder().ioThreadPoolSize(2).computationThreadPoolSize(2).build();
        RedisClient client = RedisClient.create(resources);
        client.setOptions(io.lettuce.core.ClientOptions.builder()
                .autoReconnect(false)
                .protocolVersion(ProtocolVersion.RESP3)
                .requestQueueSize(options.maxQueued())
                .socketOptions(SocketOptions.builder().connectTimeout(options.connectTimeout()).tcpNoDelay(true).keepAlive(true).build())
                .build());
        return new Lettuce(resources, client);
    }

    boolean connected() {
        StatefulRedisConnection<byte[], byte[]> c = current;
        return c != null && c.isOpen();
    }

    /** Sends a command on the connection of all operations. The stage ends with this package's exceptions. */
    <T> CompletableFuture<T> call(Command command, CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
        StatefulRedisConnection<byte[], byte[]> c = current;
        if (c != null && c.isOpen()) {
            return send(c, command, output, args);
        }
        return connection().thenCompose(open -> send(open, command, output, args));
    }

    /** Sends a command on a connection. */
    <T> CompletableFuture<T> send(StatefulRedisConnection<byte[], byte[]> c, Command command,
            CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
        CompletableFuture<T> sent;
        try {
            sent = c.async().dispatch(command, output, args).toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(Errors.of(e));
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        sent.whenComplete((value, e) -> {
            answered = System.nanoTime();
            if (e == null) {
                result.complete(value);
            } else {
                result.completeExceptionally(Errors.of(e));
            }
        });
        return result;
    }

    /** Closes a connection on which nothing at all came since a time: the member hangs, or the network between. */
    void suspect(long since) {
        StatefulRedisConnection<byte[], byte[]> c = current;
        if (c != null && c.isOpen() && answered - since < 0) {
            c.closeAsync();
        }
    }

    private CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connection() {
        CompletableFuture<StatefulRedisConnection<byte[], byte[]>> mine;
        MemberAddress address = null;
        lock.lock();
        try {
            StatefulRedisConnection<byte[], byte[]> c = current;
            if (c != null && c.isOpen()) {
                return CompletableFuture.completedFuture(c);
            }
            if (connecting != null) { // one finds out whether a member that hung does no more
                CacheMeshException again = failures > 1 ? failure : null;
                return again != null ? CompletableFuture.failedFuture(again) : connecting;
            }
            if (closed) {
                return CompletableFuture.failedFuture(new CacheMeshUnavailableException("this client is closed", null));
            }
            try {
                address = options.address().get();
            } catch (RuntimeException e) {
                return CompletableFuture.failedFuture(Errors.ofConnect(e, null));
            }
            if (!address.equals(failedAt)) { // it began elsewhere
                failures = 0;
                failure = null;
            }
            CacheMeshException last = failure;
            if (last != null && System.nanoTime() - notBefore < 0) {
                return CompletableFuture.failedFuture(last);
            }
            connecting = mine = new CompletableFuture<>();
        } finally {
            lock.unlock();
        }
        MemberAddress at = address;
        open(at).thenCompose(c -> verified(c, at)).whenComplete((c, e) -> connected(mine, at, c, e));
        return mine;
    }

    private void connected(CompletableFuture<StatefulRedisConnection<byte[], byte[]>> mine, MemberAddress address,
            @Nullable StatefulRedisConnection<byte[], byte[]> c, @Nullable Throwable e) {
        CacheMeshException failed = e == null ? null : Errors.ofConnect(e, address);
        lock.lock();
        try {
            connecting = null;
            if (closed && c != null) {
                c.closeAsync();
            }
            if (failed == null) {
                current = c;
                failures = 0;
                failure = null;
                made.increment();
            } else {
                failure = failed;
                failedAt = address;
                notBefore = System.nanoTime() + (BACKOFF << Math.min(failures, MOST_DOUBLINGS));
                failures++;
            }
        } finally {
            lock.unlock();
        }
        if (failed == null) {
            mine.complete(c);
        } else {
            mine.completeExceptionally(failed);
        }
    }

    /** Makes a connection to the member that is there now. */
    CompletableFuture<StatefulRedisConnection<byte[], byte[]>> open() {
        MemberAddress address = null;
        try {
            address = options.address().get();
            MemberAddress at = address;
            CompletableFuture<StatefulRedisConnection<byte[], byte[]>> result = new CompletableFuture<>();
            open(at).whenComplete((c, e) -> {
                if (e == null) {
                    result.complete(c);
                } else {
                    result.completeExceptionally(Errors.ofConnect(e, at));
                }
            });
            return result;
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(Errors.ofConnect(e, address));
        }
    }

    private CompletableFuture<StatefulRedisConnection<byte[], byte[]>> open(MemberAddress at) {
        try {
            RedisURI.Builder uri = at.socket() != null ? RedisURI.Builder.socket(at.socket()) : RedisURI.Builder.redis(at.host(), at.port());
            uri.withTimeout(options.connectTimeout().plus(options.timeout())).withClientName(options.name()).withLibraryName("cachemesh-java");
            if (at.password() != null) {
                uri.withPassword(at.password().toCharArray());
            }
            return client().connectAsync(ByteArrayCodec.INSTANCE, uri.build()).toCompletableFuture();
        } catch (RuntimeException | Error e) { // an error, as when there is no native transport for a Unix socket, or no thread
            return CompletableFuture.failedFuture(Errors.ofConnect(e, at));
        }
    }

    /** Returns how many bytes a value may have. The member would end the connection of who sends more, with all that is under way on it. */
    CompletableFuture<Integer> mostValue() {
        return connected() ? CompletableFuture.completedFuture(mostValue) : connection().thenApply(c -> mostValue);
    }

    private CompletableFuture<?> askMostValue(StatefulRedisConnection<byte[], byte[]> c) {
        CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE).add("GET").add("proto-max-bulk-len");
        return send(c, Command.CONFIG, array(), args).orTimeout(options.timeout().toNanos(), TimeUnit.NANOSECONDS).handle((said, e) -> {
            mostValue = e == null ? Replies.setting(said, MOST_VALUE) : MOST_VALUE;
            return null;
        });
    }

    /** Asks whether it is a member, and speaks this client's protocol. */
    private CompletableFuture<StatefulRedisConnection<byte[], byte[]>> verified(StatefulRedisConnection<byte[], byte[]> c, MemberAddress at) {
        CompletableFuture<List<Object>> mesh = send(c, Command.MESH, array(), new CommandArgs<>(ByteArrayCodec.INSTANCE));
        CompletableFuture<?> most = askMostValue(c);
        return mesh.orTimeout(options.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .handle((said, e) -> {
                    CacheMeshException wrong = null;
                    if (e != null) {
                        Throwable why = Errors.of(e);
                        wrong = why instanceof CacheMeshCommandException
                                ? new CacheMeshProtocolException("what answers at " + at + " is no member of CacheMesh, or an old one: " + why.getMessage(), why)
                                : Errors.ofConnect(why, at);
                    } else if (Replies.mesh(said).protocol() != CacheMeshClient.PROTOCOL) {
                        MeshInfo m = Replies.mesh(said);
                        wrong = new CacheMeshProtocolException("the member at " + at + " (" + m.version() + ") speaks protocol " + m.protocol()
                                + ", and this client " + CacheMeshClient.PROTOCOL + ": use the same version of both", null);
                    }
                    if (wrong != null) {
                        c.closeAsync();
                        throw wrong;
                    }
                    return c;
                }).thenCombine(most, (open, said) -> open);
    }

    void close() {
        Lettuce was;
        lock.lock();
        try {
            closed = true;
            was = lettuce;
            lettuce = null;
        } finally {
            lock.unlock();
        }
        if (was != null) {
            was.client.shutdownAsync(0, 2, TimeUnit.SECONDS).join();
            was.resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(Duration.ofSeconds(3).toMillis());
        }
    }

    /** Returns an output for an array, in which nested ones are lists and maps are lists of name and value. */
    static CommandOutput<byte[], byte[], List<Object>> array() {
        return new ArrayOutput<>(ByteArrayCodec.INSTANCE);
    }
}
