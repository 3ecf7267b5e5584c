package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import io.github.praveenduddu.cachemesh.client.Lanes.Lane;
import io.github.praveenduddu.cachemesh.client.Replies.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The right to load a key, in the hands of one caller of a batch. One of the methods that end it is called, once. */
final class Claim {

    private final Lanes lanes;
    private final Lane lane;
    private final Found won;
    private final List<CompletableFuture<Outcome>> others;

    Claim(Lanes lanes, Lane lane, Found won, List<CompletableFuture<Outcome>> batch) {
        this.lanes = lanes;
        this.lane = lane;
        this.won = won;
        others = new ArrayList<>(batch);
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

    /** Hands the claim to the next caller that has not gone away, or gives it up. */
    void pass() {
        while (!others.isEmpty()) {
            if (others.remove(0).complete(new Outcome.Lead(this))) {
                return;
            }
        }
        lanes.wire.release(key(), token());
        lanes.ended(lane, List.of());
    }

    /** Gives the claim up; the other callers ask again. */
    void release() {
        lanes.wire.release(key(), token());
        lanes.ended(lane, List.copyOf(others));
    }

    /** Says that the load has ended, to the other callers with what it brought. */
    void ended(Outcome outcome) {
        others.forEach(c -> {
            if (c.complete(outcome)) {
                lanes.client.joined.increment();
            }
        });
        lanes.ended(lane, List.of());
    }

    /** The same of one that failed. */
    void failed(Throwable t) {
        others.forEach(c -> c.completeExceptionally(t));
        lanes.ended(lane, List.of());
    }
}
