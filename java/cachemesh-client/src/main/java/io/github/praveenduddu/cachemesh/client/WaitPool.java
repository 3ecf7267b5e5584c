package io.github.praveenduddu.cachemesh.client;

import io.lettuce.core.api.StatefulRedisConnection;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The connections on which the client waits for loads of other processes. Answers come in order, so each carries one
 * wait at a time; who finds none free stands in line.
 */
final class WaitPool {

    private final Connections connections;
    private final int most;

    private final ReentrantLock lock = new ReentrantLock(); // guards what follows; nothing is called under it
    private final Deque<StatefulRedisConnection<byte[], byte[]>> idle = new ArrayDeque<>();
    private final Deque<CompletableFuture<StatefulRedisConnection<byte[], byte[]>>> line = new ArrayDeque<>();
    private int open;

    WaitPool(Connections connections, int most) {
        this.connections = connections;
        this.most = most;
    }

    /** Returns a connection for the caller alone, who gives it back by {@link #release}. */
    CompletableFuture<StatefulRedisConnection<byte[], byte[]>> acquire() {
        CompletableFuture<StatefulRedisConnection<byte[], byte[]>> mine = new CompletableFuture<>();
        lock.lock();
        try {
            for (StatefulRedisConnection<byte[], byte[]> c; (c = idle.pollLast()) != null; ) {
                if (c.isOpen()) {
                    return CompletableFuture.completedFuture(c);
                }
                open--;
            }
            if (open >= most) {
                line.addLast(mine);
                return mine;
            }
            open++;
        } finally {
            lock.unlock();
        }
        open(mine);
        return mine;
    }

    /** Makes a connection for a caller, or else tells it, and goes on with the next in line. */
    private void open(@Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> first) {
        for (CompletableFuture<StatefulRedisConnection<byte[], byte[]>> next = first; next != null; ) {
            CompletableFuture<StatefulRedisConnection<byte[], byte[]>> made = connections.open();
            if (!made.isCompletedExceptionally()) {
                CompletableFuture<StatefulRedisConnection<byte[], byte[]>> caller = next;
                made.whenComplete((c, e) -> {
                    if (e == null) {
                        caller.complete(c);
                    } else {
                        open(afterGone());
                        caller.completeExceptionally(e);
                    }
                });
                return;
            }
            CompletableFuture<StatefulRedisConnection<byte[], byte[]>> failed = next; // at once: a loop, for there may be many in line
            next = afterGone();
            made.whenComplete((c, e) -> failed.completeExceptionally(e));
        }
    }

    /** Takes a connection back, broken or not. */
    void release(StatefulRedisConnection<byte[], byte[]> c) {
        if (!c.isOpen()) {
            open(afterGone());
            return;
        }
        CompletableFuture<StatefulRedisConnection<byte[], byte[]>> next;
        lock.lock();
        try {
            next = line.pollFirst();
            if (next == null) {
                idle.addLast(c);
            }
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.complete(c);
        }
    }

    /** Returns the next in line, for whom there is room now, or makes that room known. */
    private @Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> afterGone() {
        lock.lock();
        try {
            CompletableFuture<StatefulRedisConnection<byte[], byte[]>> next = line.pollFirst();
            if (next == null) {
                open--;
            }
            return next;
        } finally {
            lock.unlock();
        }
    }
}
