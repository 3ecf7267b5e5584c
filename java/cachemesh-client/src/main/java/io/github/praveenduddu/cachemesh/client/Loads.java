package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Bytes.Key;
import io.github.praveenduddu.cachemesh.client.Outcome.Lead;
import io.github.praveenduddu.cachemesh.client.Outcome.Loaded;
import io.github.praveenduddu.cachemesh.client.Outcome.Raw;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets values, and loads what is not there: one caller in the mesh for all. */
final class Loads<K, V> {

    private static final Logger log = LoggerFactory.getLogger(CacheMeshClient.class);

    private final LettuceClient client;
    private final CacheWire wire;
    private final String name;
    private final Serializer<V> values;
    private final CacheOptions options;
    private final Lanes lanes;
    private final ThreadLocal<Set<Key>> loadedHere = ThreadLocal.withInitial(HashSet::new);

    Loads(LettuceClient client, CacheWire wire, String name, Serializer<V> values, CacheOptions options) {
        this.client = client;
        this.wire = wire;
        this.name = name;
        this.values = values;
        this.options = options;
        lanes = new Lanes(client, wire);
    }

    @Nullable V get(K key, Key bytes, @Nullable Duration ttl, Loader<? super K, ? extends V> loader) {
        if (loadedHere.get().contains(bytes)) {
            throw new IllegalStateException("cache " + name + ": the loader of a key asks for the same key, and would wait for itself: " + key);
        }
        Outcome outcome = await(lanes.join(bytes));
        return outcome instanceof Lead lead ? lead(key, lead.claim(), ttl, loader) : value(outcome);
    }

    CompletableFuture<@Nullable V> getAsync(K key, Key bytes, @Nullable Duration ttl, AsyncLoader<? super K, ? extends V> loader) {
        CompletableFuture<Outcome> caller = lanes.join(bytes);
        CompletableFuture<Outcome> waiting = new CompletableFuture<>();
        caller.whenComplete((outcome, e) -> {
            if (e == null) {
                waiting.complete(outcome);
            } else {
                waiting.completeExceptionally(e);
            }
        });
        ScheduledFuture<?> late = client.timer.schedule(() -> caller.completeExceptionally(tooLate()), options.loadTimeout().toNanos(), TimeUnit.NANOSECONDS);
        waiting.whenComplete((outcome, e) -> late.cancel(false));
        AtomicBoolean over = new AtomicBoolean(); // its turn has come, or it has gone away before
        CompletableFuture<@Nullable V> result = waiting.handleAsync((outcome, e) -> {
            if (!over.compareAndSet(false, true) || e != null) {
                throw e == null ? new CancellationException() : Errors.rethrow(e);
            }
            return outcome instanceof Lead lead
                    ? leadAsync(key, lead.claim(), ttl, loader)
                    : CompletableFuture.completedFuture(value(outcome));
        }, client.options.executor()).thenCompose(ending -> ending);
        result.whenComplete((value, e) -> { // it may be cancelled, and the executor may take no more
            if (e != null && over.compareAndSet(false, true)) {
                leave(caller, e);
            }
        });
        return result;
    }

    private CacheMeshTimeoutException tooLate() {
        return new CacheMeshTimeoutException("cache " + name + ": another's load did not end within " + options.loadTimeout(), null);
    }

    private Outcome await(CompletableFuture<Outcome> caller) {
        try {
            return caller.get(options.loadTimeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw Errors.rethrow(e);
        } catch (TimeoutException e) {
            CacheMeshTimeoutException late = tooLate();
            if (caller.completeExceptionally(late)) {
                throw late;
            }
            return caller.join(); // it came at the last moment
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CacheMeshInterruptedException here = new CacheMeshInterruptedException("interrupted while waiting for cache " + name, e);
            leave(caller, here);
            throw here;
        }
    }

    /** A caller goes away. If it has been given the right to load, the next has it. */
    private static void leave(CompletableFuture<Outcome> caller, Throwable why) {
        if (!caller.completeExceptionally(why) && !caller.isCompletedExceptionally() && caller.join() instanceof Lead lead) {
            lead.claim().pass();
        }
    }

    private @Nullable V value(Outcome outcome) {
        if (outcome instanceof Loaded loaded) {
            @SuppressWarnings("unchecked") // it comes from a loader of this cache
            V v = (V) loaded.value();
            return v;
        }
        byte[] bytes = ((Raw) outcome).found().value();
        return bytes == null ? null : Bytes.decode(values, bytes).value();
    }

    private @Nullable V lead(K key, Claim claim, @Nullable Duration ttl, Loader<? super K, ? extends V> loader) {
        client.loads.increment();
        try {
            claim.renew();
            V value;
            loadedHere.get().add(claim.key());
            try {
                value = loader.load(key);
            } catch (Throwable t) {
                restore(t);
                return value(failed(claim, t));
            } finally {
                loadedHere.get().remove(claim.key());
            }
            CompletableFuture<Void> kept = keep(claim, value, ttl);
            try {
                kept.get(client.options.timeout().toNanos(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the value is there all the same
            } catch (ExecutionException | TimeoutException e) {
                log.debug("cache {}: it is not known whether a loaded value was kept", name, e);
            }
            claim.ended(new Loaded(value));
            return value;
        } finally {
            claim.close();
        }
    }

    private CompletableFuture<@Nullable V> leadAsync(K key, Claim claim, @Nullable Duration ttl, AsyncLoader<? super K, ? extends V> loader) {
        client.loads.increment();
        return begin(key, claim, loader).handleAsync((value, t) -> {
            if (t != null) {
                return CompletableFuture.completedFuture(value(failed(claim, Errors.unwrap(t))));
            }
            return keep(claim, value, ttl).orTimeout(client.options.timeout().toNanos(), TimeUnit.NANOSECONDS).handleAsync((done, e) -> {
                claim.ended(new Loaded(value));
                return value;
            }, client.options.executor());
        }, client.options.executor()).<@Nullable V>thenCompose(ending -> ending).whenComplete((value, e) -> claim.close());
    }

    /** Calls a loader. The future fails with whatever goes wrong. */
    private CompletableFuture<@Nullable V> begin(K key, Claim claim, AsyncLoader<? super K, ? extends V> loader) {
        CompletableFuture<@Nullable V> loading = new CompletableFuture<>();
        try {
            claim.renew();
            Objects.requireNonNull(loader.load(key), "the loader returned null instead of a stage").whenComplete((value, t) -> {
                if (t == null) {
                    loading.complete(value);
                } else {
                    loading.completeExceptionally(t);
                }
            });
        } catch (Throwable t) {
            restore(t);
            loading.completeExceptionally(t);
        }
        return loading;
    }

    /** An interrupt that a loader took note of is its caller's, too. */
    private static void restore(Throwable t) {
        if (t instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
    }

    /** Brings what was loaded to the mesh. The future never fails, save for lack of an answer. */
    private CompletableFuture<Void> keep(Claim claim, @Nullable V value, @Nullable Duration ttl) {
        byte[] bytes;
        try {
            bytes = Bytes.encode(values, value, options);
        } catch (RuntimeException | Error e) {
            failed(claim, e);
            throw e;
        }
        Duration lives = LettuceCache.ttl(options, value, ttl);
        CompletableFuture<String> sent = lives != null && lives.isZero()
                ? wire.notFound(claim.key(), claim.token())
                : wire.fill(claim.key(), claim.token(), bytes, lives);
        claim.renewNoMore();
        return sent.handle((ok, e) -> {
            if (e != null) {
                client.notKept.increment();
                log.debug("cache {}: a loaded value is not kept: {}", name, e.getMessage());
            }
            return null;
        });
    }

    /** Says that a load failed. Returns what there is instead, or throws what the loader did. */
    private Outcome failed(Claim claim, Throwable t) {
        client.loadFailures.increment();
        if (t instanceof InterruptedException || t instanceof CacheMeshInterruptedException) { // that says nothing of the value: another may load it
            claim.release();
            throw new CacheMeshInterruptedException("the loader was interrupted", t);
        }
        String text = Errors.text(t);
        wire.fail(claim.key(), claim.token(), text);
        byte[] old = claim.old();
        if (old != null) {
            Outcome stale = new Raw(new Replies.Found(Replies.Kind.STALE, old, null));
            claim.ended(stale);
            log.warn("cache {}: a loader failed, and a value is served whose time is over: {}", name, text);
            return stale;
        }
        CacheMeshException failure = t instanceof CacheMeshSerializationException known ? known
                : new CacheMeshLoadException("cache " + name + ": the loader failed: " + text, t);
        claim.failed(failure);
        if (t instanceof Error error) {
            throw error;
        }
        throw failure;
    }
}
