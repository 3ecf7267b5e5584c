package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** However a load ends, or does not begin, the claim to its key ends too: the next caller loads at once. */
@Timeout(60)
class ClaimsIT {

    /** The next caller is told after 5 s that nobody ended the claim. */
    private static final CacheOptions OPTIONS = CacheOptions.builder().loadTimeout(Duration.ofSeconds(5)).build();

    static RunningMember member;
    static CacheMeshClient client;

    @BeforeAll
    static void start() throws Exception {
        member = RunningMember.start(List.of());
        client = member.client();
    }

    @AfterAll
    static void stop() {
        client.close();
        member.close();
    }

    static MeshCache<String, String> cache(CacheMeshClient of, String name) {
        return of.cache(name, Serializer.utf8(), OPTIONS);
    }

    static CacheMeshClient client(Executor executor) {
        return CacheMeshClient.create(ClientOptions.builder(member.address).executor(executor).build());
    }

    static <T> T get(CompletableFuture<T> f) throws Exception {
        return f.get(10, TimeUnit.SECONDS);
    }

    static CompletableFuture<String> load(MeshCache<String, String> c, String key, AsyncLoader<String, String> loader) {
        return c.getOrAsync(key, loader).toCompletableFuture();
    }

    /** Values that are nested too deeply, or classes that are missing. */
    @Test
    void anErrorWhileAValueIsTurnedIntoBytes() {
        MeshCache<String, String> c = client.cache("errors", new Serializer<String>() {

            @Override
            public byte[] serialize(String value) {
                if (value.equals("deep")) {
                    throw new StackOverflowError();
                }
                return CacheWire.bytes(value);
            }

            @Override
            public String deserialize(byte[] bytes) {
                return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
            }
        }, OPTIONS);
        assertThatThrownBy(() -> c.getOr("a", k -> "deep")).isInstanceOf(StackOverflowError.class);
        assertThat(c.getOr("a", k -> "v")).isEqualTo("v");
        assertThatThrownBy(() -> get(load(c, "b", k -> CompletableFuture.completedFuture("deep")))).cause().isInstanceOf(StackOverflowError.class);
        assertThat(c.getOr("b", k -> "v")).isEqualTo("v");
    }

    static final class Mute extends RuntimeException {

        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("it cannot say what happened");
        }
    }

    @Test
    void anExceptionThatCannotSayWhatHappened() {
        MeshCache<String, String> c = cache(client, "mute");
        assertThatThrownBy(() -> c.getOr("a", k -> {
            throw new Mute();
        })).isInstanceOf(CacheMeshLoadException.class).hasMessage("cache mute: the loader failed: " + Mute.class.getName())
                .satisfies(e -> assertThat(e.getCause() instanceof Mute).isTrue());
        assertThat(c.getOr("a", k -> "v")).isEqualTo("v");
        assertThatThrownBy(() -> get(load(c, "b", k -> CompletableFuture.failedFuture(new Mute())))).cause().isInstanceOf(CacheMeshLoadException.class);
        assertThat(c.getOr("b", k -> "v")).isEqualTo("v");
    }

    @Test
    void aLoaderThatReturnsNoStage() {
        MeshCache<String, String> c = cache(client, "none");
        assertThatThrownBy(() -> get(load(c, "a", k -> null))).cause().isInstanceOf(CacheMeshLoadException.class)
                .hasMessage("cache none: the loader failed: java.lang.NullPointerException: the loader returned null instead of a stage");
        assertThat(c.getOr("a", k -> "v")).isEqualTo("v");
    }

    /** The right to load has come, and the caller goes away before its executor has begun. */
    @Test
    void cancelledBeforeItsTurn() throws Exception {
        BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
        try (CacheMeshClient holding = client(held::add)) {
            MeshCache<String, String> c = cache(holding, "cancelled");
            AtomicInteger loads = new AtomicInteger();
            CompletableFuture<String> gone = load(c, "k", k -> CompletableFuture.completedFuture("v" + loads.incrementAndGet()));
            Runnable turn = held.poll(10, TimeUnit.SECONDS);
            assertThat(turn).isNotNull();
            gone.cancel(true);
            turn.run();
            assertThat(c.getOr("k", k -> "v")).isEqualTo("v");
            assertThat(loads).as("loads for one who is gone").hasValue(0);
        }
    }

    /** Who goes away before the right to load has come is not given it. */
    @Test
    void cancelledWhileAnotherLoads() throws Exception {
        MeshCache<String, String> c = cache(client, "waiting");
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        CompletableFuture<String> loads = load(c, "k", k -> {
            begun.complete(null);
            return slow;
        });
        get(begun);
        CompletableFuture<String> gone = load(c, "k", k -> CompletableFuture.completedFuture("wrong"));
        CompletableFuture<String> next = load(c, "k", k -> CompletableFuture.completedFuture("next"));
        gone.cancel(true);
        slow.completeExceptionally(new IllegalStateException("the database is down"));
        assertThatThrownBy(() -> get(loads)).cause().isInstanceOf(CacheMeshLoadException.class);
        assertThat(get(next)).isEqualTo("next");
    }

    @Test
    void anExecutorThatTakesNothing() throws Exception {
        try (CacheMeshClient full = client(task -> {
            throw new RejectedExecutionException("full");
        })) {
            MeshCache<String, String> c = full.cache("full", Serializer.utf8(), CacheOptions.DEFAULT); // nobody is told in time that a claim does not end
            List<CompletableFuture<String>> callers = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                callers.add(load(c, "k", k -> CompletableFuture.completedFuture("wrong")));
            }
            for (CompletableFuture<String> caller : callers) {
                assertThat((Object) get(caller.handle((v, e) -> Errors.unwrap(e)))).isInstanceOf(RejectedExecutionException.class);
            }
            assertThat(c.getOr("k", k -> "v")).isEqualTo("v");
        }
    }

    /** The load has begun; what it brings finds no thread, at the first step or at the last. */
    @Test
    void anExecutorThatTakesNothingMore() throws Exception {
        for (int taken = 1; taken <= 2; taken++) {
            AtomicInteger left = new AtomicInteger(taken);
            try (CacheMeshClient filling = client(task -> {
                if (left.decrementAndGet() < 0) {
                    throw new RejectedExecutionException("full");
                }
                ForkJoinPool.commonPool().execute(task);
            })) {
                MeshCache<String, String> c = cache(filling, "filling");
                CompletableFuture<String> loads = load(c, "k" + taken, k -> CompletableFuture.completedFuture("v"));
                assertThatThrownBy(() -> get(loads)).as("after %s tasks", taken).cause().isInstanceOf(RejectedExecutionException.class);
                assertThat(c.getOr("k" + taken, k -> "v")).isEqualTo("v");
            }
        }
    }
}
