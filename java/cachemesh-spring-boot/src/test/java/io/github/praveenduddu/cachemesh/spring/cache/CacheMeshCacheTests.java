package io.github.praveenduddu.cachemesh.spring.cache;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.github.praveenduddu.cachemesh.client.CacheMeshLoadException;
import io.github.praveenduddu.cachemesh.client.CacheMeshSerializationException;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import io.github.praveenduddu.cachemesh.client.Serializer;
import org.junit.jupiter.api.Test;
import org.springframework.cache.Cache.ValueRetrievalException;
import org.springframework.cache.Cache.ValueWrapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The contract of Spring's cache, and what is beyond it, against a mesh of one. */
class CacheMeshCacheTests extends CacheFixture {

    @Test
    void getPutEvict() {
        assertThat(this.cache.getName()).isEqualTo("books");
        assertThat(this.cache.get("a")).isNull();
        this.cache.put("a", "1");
        assertThat(value(this.cache.get("a"))).isEqualTo("1");
        assertThat(this.cache.get("a", String.class)).isEqualTo("1");
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> this.cache.get("a", Integer.class))
            .withMessageContaining("not of required type");
        this.cache.evict("a");
        assertThat(this.cache.get("a")).isNull();
        CacheCounts counts = this.cache.getCounts();
        assertThat(List.of(counts.hits(), counts.misses(), counts.puts(), counts.removals())).containsExactly(3L, 2L, 1L, 1L);
    }

    @Test
    void nullIsAValue() {
        this.cache.put("a", null);
        assertThat(value(this.cache.get("a"))).isNull();
        assertThat(this.cache.get("a", String.class)).isNull();
        assertThat(this.cache.get("a", loader("x"))).isNull();
        assertThat(this.cache.get("b", loader(null))).isNull();
        assertThat(this.cache.get("b", loader("x"))).isNull();
        assertThat(this.calls).hasValue(1);
        assertThat(this.cache.retrieve("a").join()).isInstanceOf(ValueWrapper.class);
        assertThat(this.cache.retrieve("a", () -> CompletableFuture.completedFuture("x")).join()).isNull();
    }

    @Test
    void putIfAbsentSaysWhatIsThere() {
        assertThat(this.cache.putIfAbsent("a", "1")).isNull();
        assertThat(value(this.cache.putIfAbsent("a", "2"))).isEqualTo("1");
        assertThat(this.cache.putIfAbsent("n", null)).isNull();
        assertThat(value(this.cache.putIfAbsent("n", "2"))).isNull();
    }

    @Test
    void evictIfPresentAndInvalidateTellTheTruth() {
        this.cache.put("a", null);
        assertThat(this.cache.evictIfPresent("a")).isTrue();
        assertThat(this.cache.evictIfPresent("a")).isFalse();
        this.cache.put("b", "1");
        assertThat(this.cache.invalidate()).isTrue();
        assertThat(this.cache.invalidate()).isFalse();
        this.cache.put("c", "1");
        this.cache.clear();
        assertThat(this.cache.get("c")).isNull();
    }

    @Test
    void concurrentCallersOfAKeyLoadOnce() throws Exception {
        CountDownLatch all = new CountDownLatch(50);
        ExecutorService pool = Executors.newFixedThreadPool(50);
        List<Future<String>> futures = IntStream.range(0, 50).mapToObj((i) -> pool.submit(() -> {
            all.countDown();
            all.await();
            return this.cache.get("a", loader("1"));
        })).toList();
        for (Future<String> future : futures) {
            assertThat(future.get()).isEqualTo("1");
        }
        pool.shutdown();
        assertThat(this.calls).hasValue(1);
        assertThat(this.cache.getCounts().hits()).isEqualTo(49);
        assertThat(this.cache.getCounts().loads()).isEqualTo(1);
    }

    @Test
    void whatWasReadBeforeAnEvictionIsNotKeptAfterIt() {
        assertThat(this.cache.get("a", () -> {
            this.cache.evict("a");
            return "old";
        })).isEqualTo("old");
        assertThat(this.cache.get("a")).isNull();
    }

    @Test
    void aFailedLoadIsAValueRetrievalException() {
        IOException broken = new IOException("no database");
        Callable<String> loader = () -> {
            throw broken;
        };
        assertThatExceptionOfType(ValueRetrievalException.class).isThrownBy(() -> this.cache.get("a", loader))
            .withCause(broken)
            .satisfies((ex) -> assertThat(ex.getKey()).isEqualTo("a"));
        assertThat(this.cache.getCounts().loadFailures()).isEqualTo(1);
        assertThat(this.cache.get("a", loader("1"))).isEqualTo("1");
        assertThatThrownBy(() -> this.cache.retrieve("b", () -> CompletableFuture.failedFuture(broken)).join())
            .isInstanceOf(CompletionException.class).hasCause(broken);
    }

    /** Loads elsewhere fail again and again before this instance has its turn: it runs its own, for its own exception. */
    @Test
    void loadsThatFailElsewhereEachTime() {
        @SuppressWarnings("unchecked")
        MeshCache<Object, Object> failing = (MeshCache<Object, Object>) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] { MeshCache.class }, (proxy, method, args) -> switch (method.getName()) {
                    case "getOr" -> throw new CacheMeshLoadException("x", null);
                    case "getOrAsync" -> CompletableFuture.failedFuture(new CacheMeshLoadException("x", null));
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        CacheMeshCache elsewhere = new CacheMeshCache("elsewhere", failing, (key) -> key.toString().getBytes(StandardCharsets.UTF_8), this.cache.getSettings());
        IOException own = new IOException("no database");
        assertThatExceptionOfType(ValueRetrievalException.class).isThrownBy(() -> elsewhere.get("a", () -> {
            throw own;
        })).withCause(own);
        assertThat(elsewhere.get("a", loader("1"))).isEqualTo("1");
        assertThatThrownBy(() -> elsewhere.retrieve("a", () -> CompletableFuture.failedFuture(own)).join())
            .isInstanceOf(CompletionException.class).hasCause(own);
        assertThat(elsewhere.retrieve("a", () -> CompletableFuture.completedFuture("2")).join()).isEqualTo("2");
        assertThat(elsewhere.getCounts().misses()).isEqualTo(4);
        elsewhere.close();
    }

    /** However a load in memory ends, the next caller loads. */
    @Test
    void loadsInMemoryEndWithoutAStageAndWithAnError() {
        var raw = this.client.cache("books", KeyEncoder.utf8(), Serializer.utf8(),
                CacheOptions.builder().loadTimeout(java.time.Duration.ofSeconds(1)).build());
        assertThatThrownBy(() -> raw.getOrAsync("a", (key) -> null).toCompletableFuture().join()).cause()
            .isInstanceOf(CacheMeshLoadException.class).hasCauseInstanceOf(NullPointerException.class);
        assertThat(raw.getOr("a", (key) -> "1")).isEqualTo("1");
        assertThatThrownBy(() -> raw.getOrAsync("b", (key) -> {
            throw new NoClassDefFoundError("Gone");
        }).toCompletableFuture().join()).hasCauseInstanceOf(NoClassDefFoundError.class);
        assertThat(raw.getOr("b", (key) -> "1")).isEqualTo("1");
    }

    @Test
    void retrieveLoadsOnceAndKeepsWhatItLoaded() {
        assertThat(this.cache.retrieve("a").join()).isNull();
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<String> first = this.cache.retrieve("a", () -> slow);
        CompletableFuture<String> second = this.cache.retrieve("a", () -> {
            this.calls.incrementAndGet();
            return CompletableFuture.completedFuture("2");
        });
        assertThat(first).isNotDone();
        assertThat(second).isNotDone();
        slow.complete("1");
        assertThat(first.join()).isEqualTo("1");
        assertThat(second.join()).isEqualTo("1");
        assertThat(this.calls).hasValue(0);
        assertThat(((ValueWrapper) this.cache.retrieve("a").join()).get()).isEqualTo("1");
    }

    /** Only a load that is this thread's own business would wait for itself. */
    @Test
    void theThreadThatBeganALoadWithoutBlockingMayWaitForIt() {
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<String> first = this.cache.retrieve("a", () -> slow);
        slow.completeOnTimeout("1", 50, java.util.concurrent.TimeUnit.MILLISECONDS);
        assertThat(this.cache.get("a", loader("2"))).isEqualTo("1");
        assertThat(first.join()).isEqualTo("1");
        assertThat(this.calls).hasValue(0);
    }

    @Test
    void valuesThatLiveForAges() {
        CacheMeshCacheManager ages = new CacheMeshCacheManager(this.client, new KeyEncoding(List.of()), new JdkValues(List.of(), null));
        ages.setDefaults(new CacheMeshCacheSettings(java.time.Duration.ofDays(365_000), null, "", OnError.FAIL, java.time.Duration.ofSeconds(10)));
        ages.afterPropertiesSet();
        var cache = ages.getCache("ages");
        assertThat(cache).isNotNull();
        cache.put("a", "1");
        assertThat(value(cache.get("a"))).isEqualTo("1");
        ages.destroy();
    }

    @Test
    void whatNobodyCanReadIsAMissAndIsReplaced() {
        var raw = this.client.cache("books", KeyEncoder.utf8(), Serializer.utf8(), CacheOptions.DEFAULT);
        raw.set("a", "no JSON");
        assertThat(this.cache.get("a")).isNull();
        assertThat(this.cache.get("a", loader("1"))).isEqualTo("1");
        assertThat(value(this.cache.get("a"))).isEqualTo("1");
        raw.set("b", "no JSON");
        assertThat(this.cache.putIfAbsent("b", "2")).isNull();
        assertThat(value(this.cache.get("b"))).isEqualTo("2");
        raw.set("c", "no JSON");
        assertThat(this.cache.retrieve("c", () -> CompletableFuture.completedFuture("3")).join()).isEqualTo("3");
        assertThat(value(this.cache.get("c"))).isEqualTo("3");
    }

    @Test
    void whatCannotBeWrittenOrIsNoKeyIsAnErrorAlways() {
        assertThatExceptionOfType(CacheMeshSerializationException.class).isThrownBy(() -> this.cache.put("a", new ValuesTests.NoWayIn("a", 1)));
        assertThatExceptionOfType(CacheMeshKeyException.class).isThrownBy(() -> this.cache.get(new Object()));
    }

    @Test
    void managerMakesCachesAndTellsOfThem() {
        AtomicInteger told = new AtomicInteger();
        this.manager.addListener((made) -> told.incrementAndGet());
        assertThat(this.manager.getCache("later")).isSameAs(this.manager.getCache("later"));
        assertThat(told).hasValue(1);
        assertThat(this.manager.getCacheNames()).containsExactly("books", "later");
        cache("later").put("a", "1");
        this.manager.resetCaches();
        assertThat(cache("later").get("a")).isNull();
        CacheMeshCacheManager fixed = new CacheMeshCacheManager(this.client, new KeyEncoding(List.of()), new JdkValues(List.of(), null));
        fixed.setDynamic(false);
        fixed.addCacheNames(List.of("known"));
        fixed.afterPropertiesSet();
        assertThat(fixed.getCache("known")).isNotNull();
        assertThat(fixed.getCache("other")).isNull();
    }
}
