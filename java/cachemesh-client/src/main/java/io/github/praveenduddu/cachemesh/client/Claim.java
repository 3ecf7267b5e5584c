package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import io.github.praveenduddu.cachemesh.client.Lanes.Lane;
import io.github.praveenduddu.cachemesh.client.Replies.Found;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The right to load a key, in the hands of one caller of a batch. One of the methods that end it is called, once; or else
 * {@link #close} ends it, for others wait for a claim that nobody ends.
 */
final class Claim implements AutoCloseable {

    private final Lanes lanes;
    private final Lane lane;
    private final Found won;
    private final Deque<CompletableFuture<Outcome>> others;
    private final AtomicInteger passing = new AtomicInteger();
    private @Nullable ScheduledFuture<?> renewals; // this and over are used by whoever has the claim
    private boolean over;

    Claim(Lanes lanes, Lane lane, Found won, List<CompletableFuture<Outcome>> batch) {
        this.lanes = lanes;
        this.lane = lane;
        this.won = won;
        others = new ArrayDeque<>(batch);
    }

    Key key() {
        return lane.key;
    }

    byte[] token() {
        byte[] t = won.token();
        return t == null ? new byte[0] : t;
    }

    /** What the key had, if the member keeps it past its time. */
    byte @Nullable [] old() {
        return won.value();
    }

    /** Lets the claim last as long as the load. */
    void renew() {
        long every = lanes.wire.hold().toMillis() / 3;
        renewals = lanes.client.timer.scheduleAtFixedRate(() -> lanes.wire.extend(key(), token()), every, every, TimeUnit.MILLISECONDS);
    }

    void renewNoMore() {
        if (renewals != null) {
            renewals.cancel(false);
        }
    }

    private void over() {
        over = true;
        renewNoMore();
    }

    /** Hands the claim to the next caller that has not gone away, or gives it up. Who is handed it may pass it on before this returns. */
    void pass() {
        if (passing.getAndIncrement() > 0) {
            return; // a loop goes on: many who pass at once would be calls in calls
        }
        do {
            toNext();
        } while (passing.decrementAndGet() > 0);
    }

    private void toNext() {
        for (CompletableFuture<Outcome> next; (next = others.pollFirst()) != null; ) {
            if (next.complete(new Outcome.Lead(this))) {
                return;
            }
        }
        release();
    }

    /** Gives the claim up, if it has not ended. */
    @Override
    public void close() {
        if (!over) {
            release();
        }
    }

    /** Gives the claim up; the other callers ask again. */
    void release() {
        over();
        lanes.wire.release(key(), token());
        lanes.ended(lane, List.copyOf(others));
    }

    /** Says that the load has ended, to the other callers with what it brought. */
    void ended(Outcome outcome) {
        over();
        others.forEach(c -> {
            if (c.complete(outcome)) {
                lanes.client.joined.increment();
            }
        });
        lanes.ended(lane, List.of());
    }

    /** The same of one that failed. */
    void failed(Throwable t) {
        over();
        others.forEach(c -> c.completeExceptionally(t));
        lanes.ended(lane, List.of());
    }
}
