package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import io.github.praveenduddu.cachemesh.client.Replies.Found;
import io.github.praveenduddu.cachemesh.client.Replies.Kind;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Brings the callers of this process that want the same key together, so that one of them asks for all, and one loads.
 *
 * <p>Who comes after a write must not be given what was read before it. So nobody joins a question that was sent
 * already, nor a load that has begun: callers that come meanwhile are gathered, and ask after that. A key
 * has one question under way at a time; who is told that another loads waits for that load if it is in this process, or
 * else, one for all, at the member.
 */
final class Lanes {

    /** How long a member is told to wait for another's load; then it is asked again, so that all have their turn. */
    static final long SLICE_MS = 5_000;

    private static final int MOST_DEPTH = 16;
    private static final ThreadLocal<int[]> depth = ThreadLocal.withInitial(() -> new int[1]);

    final LettuceClient client;
    final CacheWire wire;
    private final ConcurrentHashMap<Key, Lane> lanes = new ConcurrentHashMap<>();

    Lanes(LettuceClient client, CacheWire wire) {
        this.client = client;
        this.wire = wire;
    }

    /** What is under way of one key. */
    static final class Lane {

        final Key key;
        final ReentrantLock lock = new ReentrantLock(); // guards what follows; nothing is called under it
        List<CompletableFuture<Outcome>> gathered = new ArrayList<>(); // who will ask next
        List<CompletableFuture<Outcome>> parked = new ArrayList<>(); // who wait for one of the active, and ask then
        boolean asking;
        int active; // loads here, and waits at the member
        boolean dead; // it is in the map no more

        Lane(Key key) {
            this.key = key;
        }
    }

    /** Returns what becomes of a caller. If the caller completes it first, it has gone away. */
    CompletableFuture<Outcome> join(Key key) {
        CompletableFuture<Outcome> caller = new CompletableFuture<>();
        while (true) {
            Lane lane = lanes.computeIfAbsent(key, Lane::new);
            lane.lock.lock();
            try {
                if (lane.dead) {
                    continue;
                }
                lane.gathered.add(caller);
            } finally {
                lane.lock.unlock();
            }
            next(lane);
            return caller;
        }
    }

    /** Asks for those who have gathered, unless a question is under way. */
    private void next(Lane lane) {
        List<CompletableFuture<Outcome>> batch;
        lane.lock.lock();
        try {
            if (lane.asking || lane.dead) {
                return;
            }
            lane.gathered.removeIf(CompletableFuture::isDone);
            if (lane.gathered.isEmpty()) {
                if (lane.active == 0) {
                    lane.dead = true;
                    lanes.remove(lane.key, lane);
                }
                return;
            }
            batch = lane.gathered;
            lane.gathered = new ArrayList<>();
            lane.asking = true;
        } finally {
            lane.lock.unlock();
        }
        CompletableFuture<List<Object>> answer = new CompletableFuture<>();
        deliver(lane, wire.ask(lane.key), answer);
        answer.orTimeout(client.options.timeout().toNanos(), TimeUnit.NANOSECONDS)
                .whenComplete((said, e) -> answered(lane, batch, said, e));
    }

    /** Hands an answer on. What comes too late for that, and is a claim, is given up. */
    private void deliver(Lane lane, CompletableFuture<List<Object>> sent, CompletableFuture<List<Object>> answer) {
        sent.whenComplete((said, e) -> {
            if (e != null) {
                answer.completeExceptionally(e);
            } else if (!answer.complete(said)) {
                byte[] token = Found.of(said).token();
                if (token != null) {
                    wire.release(lane.key, token);
                }
            }
        });
    }

    private void answered(Lane lane, List<CompletableFuture<Outcome>> batch, @Nullable List<Object> said, @Nullable Throwable e) {
        Found found = null;
        Throwable failed = e;
        try {
            found = said == null ? null : Found.of(said);
        } catch (RuntimeException wrong) {
            failed = wrong;
        }
        boolean wait = false;
        lane.lock.lock();
        try {
            lane.asking = false;
            if (found != null && found.kind() == Kind.WON) {
                lane.active++;
            } else if (found != null && found.kind() == Kind.BUSY) {
                if (lane.active > 0) {
                    lane.parked.addAll(batch);
                } else {
                    lane.active++;
                    wait = true;
                }
            }
        } finally {
            lane.lock.unlock();
        }
        if (wait) {
            await(lane, batch);
        } else if (found == null || found.kind() != Kind.BUSY) {
            tell(lane, batch, found, failed);
        }
        int[] deep = depth.get();
        if (deep[0] == MOST_DEPTH) { // failures that come at once would go on in here as long as there are callers
            ForkJoinPool.commonPool().execute(() -> next(lane)); // the application's executor may take no more
            return;
        }
        deep[0]++;
        try {
            next(lane);
        } finally {
            deep[0]--;
        }
    }

    /** Waits at the member for the load of another process. */
    private void await(Lane lane, List<CompletableFuture<Outcome>> batch) {
        client.waits.increment();
        client.pool.acquire().whenComplete((c, e) -> {
            if (e != null) {
                waited(lane, batch, null, e);
                return;
            }
            CompletableFuture<List<Object>> answer = new CompletableFuture<>();
            CompletableFuture<List<Object>> sent = wire.askAndWait(c, lane.key, SLICE_MS);
            sent.whenComplete((said, failed) -> client.pool.release(c)); // a connection with an answer to come is no other's
            deliver(lane, sent, answer);
            answer.orTimeout(client.options.timeout().toMillis() + SLICE_MS, TimeUnit.MILLISECONDS).whenComplete((said, late) -> {
                if (late != null) {
                    closeIfSilent(c, sent);
                }
                waited(lane, batch, said, late);
            });
        });
    }

    private static void closeIfSilent(StatefulRedisConnection<byte[], byte[]> c, CompletableFuture<List<Object>> sent) {
        if (!sent.isDone()) {
            c.closeAsync();
        }
    }

    private void waited(Lane lane, List<CompletableFuture<Outcome>> batch, @Nullable List<Object> said, @Nullable Throwable e) {
        Found found = null;
        Throwable failed = e;
        try {
            found = said == null ? null : Found.of(said);
        } catch (RuntimeException wrong) {
            failed = wrong;
        }
        boolean again = found != null && found.kind() == Kind.BUSY;
        if (found != null && found.kind() == Kind.WON) {
            lane.lock.lock();
            try {
                lane.active++;
            } finally {
                lane.lock.unlock();
            }
        }
        if (!again) {
            tell(lane, batch, found, failed);
        }
        ended(lane, again ? batch : List.of());
    }

    /** Says that a load or a wait has ended: who waited for it asks now. */
    void ended(Lane lane, List<CompletableFuture<Outcome>> alsoAsk) {
        lane.lock.lock();
        try {
            lane.active--;
            lane.gathered.addAll(alsoAsk);
            lane.gathered.addAll(lane.parked);
            lane.parked.clear();
        } finally {
            lane.lock.unlock();
        }
        next(lane);
    }

    private void tell(Lane lane, List<CompletableFuture<Outcome>> batch, @Nullable Found found, @Nullable Throwable failed) {
        if (found == null) {
            Throwable why = failed == null ? new IllegalStateException() : Errors.of(failed);
            batch.forEach(c -> c.completeExceptionally(why));
        } else if (found.kind() == Kind.WON) {
            new Claim(this, lane, found, batch).pass();
        } else {
            Outcome raw = new Outcome.Raw(found);
            batch.forEach(c -> c.complete(raw));
        }
    }
}
