package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.output.ValueOutput;
import io.lettuce.core.protocol.CommandArgs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is said of one cache. */
final class CacheWire {

    private static final byte[] PX = bytes("PX");
    private static final byte[] NX = bytes("NX");
    private static final byte[] GET = bytes("GET");
    private static final byte[] HOLD = bytes("HOLD");
    private static final byte[] WAIT = bytes("WAIT");
    private static final byte[] PREFIX = bytes("PREFIX");
    private static final int MOST_REASON = 512;

    private final LettuceClient client;
    private final byte[] group;
    private final CacheOptions options;

    CacheWire(LettuceClient client, String group, CacheOptions options) {
        this.client = client;
        this.group = bytes(group);
        this.options = options;
    }

    Duration hold() {
        return options.hold();
    }

    CompletableFuture<List<Object>> ask(Key key) {
        return client.call(Command.GET, Connections.array(), args(key).add(HOLD).add(options.hold().toMillis()));
    }

    CompletableFuture<List<Object>> askAndWait(StatefulRedisConnection<byte[], byte[]> c, Key key, long waitMs) {
        return client.connections.send(c, Command.GET, Connections.array(),
                args(key).add(WAIT).add(waitMs).add(HOLD).add(options.hold().toMillis()));
    }

    CompletableFuture<List<Object>> getMany(Collection<Key> keys) {
        CommandArgs<byte[], byte[]> args = args();
        keys.forEach(k -> args.add(k.bytes));
        return client.call(Command.MGET, Connections.array(), args);
    }

    CompletableFuture<String> set(Key key, byte[] value, @Nullable Duration ttl) {
        return fitting(value, () -> client.call(Command.SET, status(), timed(args(key).add(value), ttl)));
    }

    /** Returns what the key has, or null if the value was set. */
    CompletableFuture<byte @Nullable []> setIfAbsent(Key key, byte[] value, @Nullable Duration ttl) {
        return fitting(value, () -> client.call(Command.SET, new ValueOutput<>(ByteArrayCodec.INSTANCE),
                timed(args(key).add(value), ttl).add(NX).add(GET)));
    }

    CompletableFuture<Boolean> delete(Key key) {
        return client.call(Command.DEL, number(), args(key)).thenApply(n -> n > 0);
    }

    CompletableFuture<Boolean> clear() {
        CommandArgs<byte[], byte[]> args = args();
        if (!options.keyPrefix().isEmpty()) {
            args.add(PREFIX).add(bytes(options.keyPrefix()));
        }
        return client.call(Command.CLEAR, number(), args).thenApply(n -> n > 0);
    }

    CompletableFuture<String> fill(Key key, byte[] token, byte[] value, @Nullable Duration ttl) {
        return fitting(value, () -> client.call(Command.FILL, status(), timed(args(key).add(token).add(value), ttl))).whenComplete((ok, e) -> {
            if (e != null && Errors.unwrap(e) instanceof CacheMeshTooLargeException) {
                release(key, token); // others need not wait until it lapses
            }
        });
    }

    /** Sends a value, unless the member would not take it. */
    private <T> CompletableFuture<T> fitting(byte[] value, Supplier<CompletableFuture<T>> send) {
        return client.connections.mostValue().handle((most, e) -> e != null || value.length <= most ? send.get()
                : CompletableFuture.<T>failedFuture(new CacheMeshTooLargeException("value too large: it has " + value.length
                        + " bytes, and this member takes " + most + " (max-value-bytes)", null))).thenCompose(sent -> sent);
    }

    CompletableFuture<String> notFound(Key key, byte[] token) {
        return client.call(Command.NOTFOUND, status(), args(key).add(token));
    }

    CompletableFuture<String> fail(Key key, byte[] token, String why) {
        return client.call(Command.FAIL, status(), args(key).add(token).add(bytes(why.substring(0, Math.min(why.length(), MOST_REASON)))));
    }

    CompletableFuture<String> extend(Key key, byte[] token) {
        return client.call(Command.EXTEND, status(), args(key).add(token).add(options.hold().toMillis()));
    }

    void release(Key key, byte[] token) {
        client.call(Command.RELEASE, status(), args(key).add(token)); // if it is not heard, the claim lapses
    }

    private CommandArgs<byte[], byte[]> args() {
        return new CommandArgs<>(ByteArrayCodec.INSTANCE).add(group);
    }

    private CommandArgs<byte[], byte[]> args(Key key) {
        return args().add(key.bytes);
    }

    private static CommandArgs<byte[], byte[]> timed(CommandArgs<byte[], byte[]> args, @Nullable Duration ttl) {
        return ttl == null ? args : args.add(PX).add(Math.max(1, ttl.toMillis()));
    }

    private static CommandOutput<byte[], byte[], String> status() {
        return new StatusOutput<>(ByteArrayCodec.INSTANCE);
    }

    private static CommandOutput<byte[], byte[], Long> number() {
        return new IntegerOutput<>(ByteArrayCodec.INSTANCE);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
