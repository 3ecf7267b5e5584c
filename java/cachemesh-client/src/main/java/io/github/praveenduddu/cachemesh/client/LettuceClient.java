package io.github.praveenduddu.cachemesh.client;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;

/** The client, over Lettuce. */
final class LettuceClient implements CacheMeshClient {

    private static final int MOST_NAME = 255; // bytes of a group's name

    final ClientOptions options;
    final Connections connections;
    final WaitPool pool;
    final ScheduledThreadPoolExecutor timer;

    private final LongAdder operations = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder ended = new LongAdder();
    final LongAdder loads = new LongAdder();
    final LongAdder loadFailures = new LongAdder();
    final LongAdder notKept = new LongAdder();
    final LongAdder joined = new LongAdder();
    final LongAdder waits = new LongAdder();

    LettuceClient(ClientOptions options) {
        this.options = Objects.requireNonNull(options, "options");
        connections = new Connections(options);
        pool = new WaitPool(connections, options.waitingConnections());
        timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread t = new Thread(task, "cachemesh-claims");
            t.setDaemon(true);
            return t;
        });
        timer.setRemoveOnCancelPolicy(true);
        timer.setRejectedExecutionHandler((task, closed) -> {}); // a load that runs while the client is closed comes to its end, without renewals
    }

    @Override
    public <K, V> MeshCache<K, V> cache(String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options) {
        int length = CacheWire.bytes(name).length;
        if (length == 0 || length > MOST_NAME) {
            throw new IllegalArgumentException("name: a cache's name has 1 to " + MOST_NAME + " bytes, and this one " + length);
        }
        return new LettuceCache<>(this, name, keys, values, options);
    }

    <T> CompletableFuture<T> call(Command command, CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
        operations.increment();
        CompletableFuture<T> answer = connections.call(command, output, args);
        answer.whenComplete((value, e) -> {
            ended.increment();
            if (e != null) {
                failures.increment();
            }
        });
        return answer;
    }

    /** Waits for an answer as long as an operation may take. */
    <T> T await(CompletableFuture<T> answer) {
        long begin = System.nanoTime();
        try {
            return answer.get(options.timeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw Errors.rethrow(e);
        } catch (TimeoutException e) {
            connections.suspect(begin);
            throw new CacheMeshTimeoutException("the member did not answer within " + options.timeout(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CacheMeshInterruptedException("interrupted while waiting for the member", e);
        }
    }

    /** Makes a stage of an answer for a caller: it ends in time, on the executor, with this package's exceptions. */
    <T> CompletableFuture<T> stage(CompletableFuture<T> answer) {
        long begin = System.nanoTime();
        return answer.copy().orTimeout(options.timeout().toNanos(), TimeUnit.NANOSECONDS).handleAsync((value, e) -> {
            if (e == null) {
                return value;
            }
            if (Errors.unwrap(e) instanceof TimeoutException) {
                connections.suspect(begin);
            }
            throw Errors.rethrow(e);
        }, options.executor());
    }

    @Override
    public void ping() {
        await(sendPing());
    }

    @Override
    public CompletionStage<Void> pingAsync() {
        return stage(sendPing());
    }

    private CompletableFuture<Void> sendPing() {
        return call(Command.PING, new StatusOutput<>(ByteArrayCodec.INSTANCE), new CommandArgs<>(ByteArrayCodec.INSTANCE)).thenApply(pong -> null);
    }

    @Override
    public MeshInfo info() {
        return Replies.mesh(await(sendMesh()));
    }

    @Override
    public CompletionStage<MeshInfo> infoAsync() {
        return stage(sendMesh().thenApply(Replies::mesh));
    }

    private CompletableFuture<List<Object>> sendMesh() {
        return call(Command.MESH, Connections.array(), new CommandArgs<>(ByteArrayCodec.INSTANCE));
    }

    @Override
    public CacheStats stats(String group) {
        CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE).add(CacheWire.bytes(group));
        return new CacheStats(Replies.counters(await(call(Command.STATS, Connections.array(), args))));
    }

    @Override
    public ClientStats clientStats() {
        long over = ended.sum(); // before what began, or there would be fewer than none
        long begun = operations.sum();
        return new ClientStats(connections.connected(), connections.made.sum(), begun, failures.sum(), begun - over, loads.sum(),
                loadFailures.sum(), notKept.sum(), joined.sum(), waits.sum());
    }

    @Override
    public void close() {
        timer.shutdownNow();
        connections.close();
    }
}
