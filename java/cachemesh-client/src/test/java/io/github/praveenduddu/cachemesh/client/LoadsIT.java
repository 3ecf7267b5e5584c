package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Of all callers in the whole mesh one loads. */
class LoadsIT {

    static List<RunningMember> mesh;
    static List<CacheMeshClient> clients = new ArrayList<>();
    static ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeAll
    static void start() throws Exception {
        mesh = RunningMember.mesh(3);
        mesh.forEach(m -> clients.add(m.client()));
    }

    @AfterAll
    static void stop() {
        threads.shutdownNow();
        clients.forEach(CacheMeshClient::close);
        mesh.forEach(RunningMember::close);
    }

    static MeshCache<String, String> cache(int i, String name) {
        return clients.get(i % 3).cache(name, Serializer.utf8(), CacheOptions.DEFAULT);
    }

    static <T> T get(Future<T> f) throws Exception {
        return f.get(30, TimeUnit.SECONDS);
    }

    @Test
    void oneOfTwoHundredLoadsOnThreeMembers() throws Exception {
        for (int round = 0; round < 10; round++) {
            String key = "k" + round;
            AtomicInteger loads = new AtomicInteger();
            CountDownLatch go = new CountDownLatch(1);
            List<Future<String>> callers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                MeshCache<String, String> cache = cache(i, "stampede");
                callers.add(threads.submit(() -> {
                    go.await();
                    return cache.getOr(key, k -> {
                        loads.incrementAndGet();
                        Thread.sleep(50);
                        return "v";
                    });
                }));
            }
            go.countDown();
            for (Future<String> f : callers) {
                assertThat(get(f)).isEqualTo("v");
            }
            assertThat(loads).as("loads of " + key).hasValue(1);
        }
    }

    @Test
    void oneOfTwoHundredLoadsWithoutBlocking() throws Exception {
        for (int round = 0; round < 10; round++) {
            AtomicInteger loads = new AtomicInteger();
            List<CompletableFuture<String>> callers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                callers.add(cache(i, "async").getOrAsync("k" + round, k -> {
                    loads.incrementAndGet();
                    return CompletableFuture.supplyAsync(() -> "v", CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS));
                }).toCompletableFuture());
            }
            for (CompletableFuture<String> f : callers) {
                assertThat(get(f)).isEqualTo("v");
            }
            assertThat(loads).hasValue(1);
        }
    }

    /** More keys are loaded elsewhere at once than there are connections to wait on. */
    @Test
    void moreWaitsThanConnections() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        List<Future<String>> loading = new ArrayList<>();
        List<Future<String>> waiting = new ArrayList<>();
        CountDownLatch begun = new CountDownLatch(40);
        for (int i = 0; i < 40; i++) {
            String key = "k" + i;
            loading.add(threads.submit(() -> cache(0, "many").getOr(key, k -> {
                begun.countDown();
                release.await();
                return "v" + k;
            })));
        }
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        long before = clients.get(1).clientStats().waits();
        for (int i = 0; i < 40; i++) {
            String key = "k" + i;
            waiting.add(threads.submit(() -> cache(1, "many").getOr(key, k -> "wrong")));
        }
        RunningMember.until("all wait", () -> clients.get(1).clientStats().waits() - before == 40);
        assertThat(cache(1, "many").get("none")).isNull(); // other operations are not held up
        release.countDown();
        for (int i = 0; i < 40; i++) {
            assertThat(get(loading.get(i))).isEqualTo("vk" + i);
            assertThat(get(waiting.get(i))).isEqualTo("vk" + i);
        }
    }

    /** Who had the right to load, and is gone, is not waited for. */
    @Test
    void brokenWinner() throws Exception {
        for (int i = 0; i < 6; i++) {
            String key = "k" + i;
            CacheMeshClient broken = mesh.get(i % 3).client();
            MeshCache<String, String> its = broken.cache("broken", Serializer.utf8(), CacheOptions.builder().hold(Duration.ofSeconds(60)).build());
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch never = new CountDownLatch(1);
            Future<String> lost = threads.submit(() -> its.getOr(key, k -> {
                begun.countDown();
                never.await();
                return "late";
            }));
            begun.await();
            long before = clients.get((i + 1) % 3).clientStats().waits();
            int next = i + 1;
            Future<String> waits = threads.submit(() -> cache(next, "broken").getOr(key, k -> "next"));
            RunningMember.until("it waits", () -> clients.get(next % 3).clientStats().waits() > before);
            long from = System.nanoTime();
            broken.close();
            assertThat(get(waits)).isEqualTo("next");
            assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(3));
            never.countDown();
            assertThat(get(lost)).isEqualTo("late"); // it has what it loaded
            assertThat(cache(i, "broken").get(key)).isEqualTo(new CacheEntry<>("next")); // and that was not kept
        }
    }

    /** What was read before a write is not kept after it, and who asks after the write does not get it. */
    @Test
    void writesMakeLoadsVoid() throws Exception {
        List<java.util.function.BiConsumer<MeshCache<String, String>, String>> writes = List.of(
                (c, k) -> c.delete(k), (c, k) -> c.set(k, "new"), (c, k) -> c.putIfAbsent(k, "new"), (c, k) -> c.clear());
        for (int i = 0; i < writes.size() * 3; i++) {
            String key = "k" + i;
            int at = i;
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch end = new CountDownLatch(1);
            Future<String> old = threads.submit(() -> cache(at, "void").getOr(key, k -> {
                begun.countDown();
                end.await();
                return "old";
            }));
            begun.await();
            writes.get(i % writes.size()).accept(cache(i / writes.size(), "void"), key);
            // In the same process and in another: neither waits for the old load, nor has what it brings.
            assertThat(get(threads.submit(() -> cache(at, "void").getOr(key, k -> "new")))).isEqualTo("new");
            assertThat(cache(i + 1, "void").getOr(key, k -> "wrong")).isEqualTo("new");
            end.countDown();
            assertThat(get(old)).isEqualTo("old");
            assertThat(cache(i + 2, "void").get(key)).isEqualTo(new CacheEntry<>("new"));
        }
    }

    @Test
    void failuresReachAllWhoWait() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Exception cause = new IllegalStateException("the database is down");
        Future<String> loads = threads.submit(() -> cache(0, "failed").getOr("k", k -> {
            begun.countDown();
            end.await();
            throw cause;
        }));
        begun.await();
        Future<String> waits = threads.submit(() -> cache(1, "failed").getOr("k", k -> "wrong"));
        RunningMember.until("it waits at the owner", () -> clients.stream()
                .anyMatch(c -> c.stats("failed").counters().getOrDefault("claimsWaiting", 0L) > 0));
        end.countDown();
        assertThatThrownBy(() -> get(loads)).cause().isInstanceOf(CacheMeshLoadException.class)
                .hasMessage("cache failed: the loader failed: java.lang.IllegalStateException: the database is down").hasCause(cause);
        assertThatThrownBy(() -> get(waits)).cause().isInstanceOf(CacheMeshLoadException.class)
                .hasMessageContaining("the database is down").hasNoCause();
        assertThat(cache(2, "failed").getOr("k", k -> "v")).isEqualTo("v"); // a failure is not kept
        Callable<String> async = () -> cache(1, "failed").getOrAsync("a", k -> {
            throw cause;
        }).toCompletableFuture().get();
        assertThatThrownBy(async::call).cause().isInstanceOf(CacheMeshLoadException.class).hasCause(cause);
    }

    @Test
    void loadersOfLoadersButNotOfThemselves() {
        MeshCache<String, String> c = cache(0, "nested");
        assertThat(c.getOr("outer", k -> c.getOr("inner", i -> "v") + "!")).isEqualTo("v!");
        assertThatThrownBy(() -> c.getOr("self", k -> c.getOr("self", i -> "v"))).isInstanceOf(CacheMeshLoadException.class)
                .cause().isInstanceOf(IllegalStateException.class).hasMessage("cache nested: the loader of a key asks for the same key, and would wait for itself: self");
    }

    @Test
    void interruptsHandTheLoadOn() throws Exception {
        interrupted("interrupts", k -> {
            Thread.sleep(60_000);
            return "late";
        });
        interrupted("nested interrupts", k -> cache(0, "inner").getOr(k, i -> {
            Thread.sleep(60_000);
            return "late";
        }));
    }

    private static void interrupted(String name, Loader<String, String> slow) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Thread[] loader = new Thread[1];
        Future<String> interrupted = threads.submit(() -> {
            loader[0] = Thread.currentThread();
            return cache(0, name).getOr("k", k -> {
                begun.countDown();
                return slow.load(k);
            });
        });
        begun.await();
        Future<String> same = threads.submit(() -> cache(0, name).getOr("k", k -> "v"));
        Future<String> other = threads.submit(() -> cache(1, name).getOr("k", k -> "v"));
        loader[0].interrupt();
        assertThatThrownBy(() -> get(interrupted)).cause().isInstanceOf(CacheMeshInterruptedException.class);
        assertThat(get(same)).isEqualTo("v");
        assertThat(get(other)).isEqualTo("v");
    }

    @Test
    void longLoadsAreRenewed() throws Exception {
        MeshCache<String, String> c = clients.get(0).cache("renewed", Serializer.utf8(), CacheOptions.builder().hold(Duration.ofSeconds(1)).build());
        CountDownLatch begun = new CountDownLatch(1);
        Future<String> loads = threads.submit(() -> c.getOr("k", k -> {
            begun.countDown();
            Thread.sleep(2_500);
            return "v";
        }));
        begun.await();
        AtomicInteger others = new AtomicInteger();
        assertThat(cache(1, "renewed").getOr("k", k -> "wrong" + others.incrementAndGet())).isEqualTo("v");
        assertThat(get(loads)).isEqualTo("v");
        assertThat(others).hasValue(0);
    }

    @Test
    void anotherLoadIsNotWaitedForWithoutEnd() throws Exception {
        MeshCache<String, String> c = clients.get(1).cache("late", Serializer.utf8(), CacheOptions.builder().loadTimeout(Duration.ofMillis(200)).build());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<String> loads = threads.submit(() -> cache(0, "late").getOr("k", k -> {
            begun.countDown();
            end.await();
            return "v";
        }));
        begun.await();
        assertThatThrownBy(() -> c.getOr("k", k -> "w")).isInstanceOf(CacheMeshTimeoutException.class).hasMessage("cache late: another's load did not end within PT0.2S");
        assertThatThrownBy(() -> c.getOrAsync("k", k -> CompletableFuture.completedFuture("w")).toCompletableFuture().get(5, TimeUnit.SECONDS))
                .cause().isInstanceOf(CacheMeshTimeoutException.class);
        end.countDown();
        assertThat(get(loads)).isEqualTo("v");
    }
}
