package io.github.praveenduddu.cachemesh.spring.cache;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;

import io.github.praveenduddu.cachemesh.client.CacheMeshInterruptedException;
import io.github.praveenduddu.cachemesh.client.CacheMeshNoSuchCacheException;
import io.github.praveenduddu.cachemesh.client.CacheMeshUnavailableException;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import org.junit.jupiter.api.Test;
import org.springframework.cache.Cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/** What a cache does while its member is gone. */
class MemberGoneTests extends CacheFixture {

    private static final KeyEncoder<Object> KEYS = (key) -> key.toString().getBytes(StandardCharsets.UTF_8);

    @Test
    void whileTheMemberIsGoneReadsLoadAndWritesAreOwed() {
        this.cache.put("a", "old");
        this.cache.put("b", "old");
        this.cache.put("c", "same");
        this.client.gone(true);
        assertThat(this.cache.get("a")).isNull();
        assertThat(this.cache.get("a", loader("1"))).isEqualTo("1");
        assertThat(this.cache.retrieve("a").join()).isNull();
        assertThat(this.cache.retrieve("a", () -> CompletableFuture.completedFuture("2")).join()).isEqualTo("2");
        assertThat(this.calls).hasValue(1);
        this.cache.put("a", "new");
        assertThat(this.cache.evictIfPresent("b")).isFalse();
        this.client.gone(false);
        assertThat(this.cache.get("a")).isNull();
        assertThat(this.cache.get("b")).isNull();
        assertThat(value(this.cache.get("c"))).isEqualTo("same");
        await().until(() -> other().get("a") == null && other().get("b") == null);
        assertThat(value(other().get("c"))).isEqualTo("same");
        assertThat(this.cache.getCounts().failures()).isEqualTo(6);
    }

    /** Another instance's cache of that name. */
    private Cache other() {
        CacheMeshCacheManager other = manager(OnError.FAIL);
        Cache cache = other.getCache("books");
        assertThat(cache).isNotNull();
        return cache;
    }

    @Test
    void aClearThatIsOwedIsMadeUpFor() {
        this.cache.put("a", "old");
        this.client.gone(true);
        this.cache.clear();
        this.client.gone(false);
        assertThat(this.cache.get("a")).isNull();
        await().until(() -> other().get("a") == null);
        await().untilAsserted(() -> {
            this.cache.put("a", "new");
            assertThat(value(this.cache.get("a"))).isEqualTo("new");
        });
    }

    @Test
    void moreThanTheMostOwedIsAClear() {
        this.cache.put("a", "old");
        OwedWrites owed = owed(Thread::new);
        this.client.gone(true);
        for (int i = 0; i <= OwedWrites.MOST; i++) {
            owed.add(encoded("k" + i));
        }
        assertThat(owed.has("a")).isTrue();
        assertThat(owed.settle()).isFalse();
        this.client.gone(false);
        await().until(() -> !owed.has("a"));
        assertThat(this.cache.get("a")).isNull();
        owed.close();
    }

    private OwedWrites owed(ThreadFactory threads) {
        return new OwedWrites("books", this.cache.getNativeCache(), KEYS, threads);
    }

    private static EncodedKey encoded(String key) {
        return EncodedKey.of(KEYS, key);
    }

    /** A process may have no more threads when one is needed: a later read begins to pay. */
    @Test
    void whatIsOwedIsPaidThoughThereWasNoThread() {
        this.cache.put("a", "old");
        OwedWrites owed = owed((task) -> (this.calls.incrementAndGet() > 1) ? new Thread(task) : new Thread(task) {
            @Override
            public void start() {
                throw new OutOfMemoryError("unable to create native thread");
            }
        });
        owed.add(encoded("a"));
        await().until(() -> !owed.has("a"));
        assertThat(this.cache.get("a")).isNull();
        assertThat(this.calls).hasValue(2);
        owed.close();
    }

    /** As of a cache beyond max-caches, after a member was started again. */
    @Test
    void whatIsOwedOfACacheThatTheMemberDoesNotHaveIsDropped() {
        OwedWrites owed = owed(Thread::new);
        this.client.gone(true);
        owed.add(encoded("a"));
        owed.add(null);
        this.client.broken(new CacheMeshNoSuchCacheException("this member has made as many groups as it may", null));
        await().until(() -> !owed.has("a"));
        owed.close();
    }

    @Test
    void onThreadsThatMustNotBlockWritesAreNotWaitedFor() {
        reactor.core.scheduler.Schedulers.parallel().schedule(() -> {
            this.cache.put("a", "1");
            this.cache.put("b", "1");
            this.cache.evict("b");
            this.calls.incrementAndGet();
        });
        await().until(() -> this.calls.get() == 1);
        assertThat(value(this.cache.get("a"))).isEqualTo("1");
        assertThat(this.cache.get("b")).isNull();
        this.client.gone(true);
        reactor.core.scheduler.Schedulers.parallel().schedule(() -> {
            this.cache.evict("a");
            this.calls.incrementAndGet();
        });
        await().until(() -> this.calls.get() == 2);
        this.client.gone(false);
        await().until(() -> other().get("a") == null);
    }

    /** What the application brings may fail in any way now and then: what is owed is paid all the same. */
    @Test
    void whatIsOwedIsPaidThoughATryFails() {
        this.cache.put("a", "old");
        this.client.gone(true);
        this.cache.evict("a");
        this.client.broken(new NoClassDefFoundError("broken"));
        await().until(() -> this.client.tries() > 2);
        this.client.broken(null);
        await().until(() -> other().get("a") == null);
        await().until(() -> {
            this.cache.put("a", "new");
            return this.cache.get("a") != null;
        });
    }

    @Test
    void aWriteThatIsInterruptedIsOwed() {
        this.cache.put("a", "old");
        this.client.brokenOnce(new CacheMeshInterruptedException("interrupted", null));
        assertThatExceptionOfType(CacheMeshInterruptedException.class).isThrownBy(() -> this.cache.evict("a"));
        await().until(() -> other().get("a") == null);
    }

    /** In the mesh an int and a long are one key. */
    @Test
    void whatIsOwedIsOwedOfAllThatIsThatKeyInTheMesh() {
        this.cache.put(42L, "old");
        this.client.gone(true);
        this.cache.evict(42);
        this.client.gone(false);
        assertThat(this.cache.get(42L)).isNull();
        this.cache.put(42L, "new");
        assertThat(value(this.cache.get(42))).isEqualTo("new");
    }

    /** A list may be changed by who used it as a key. */
    @Test
    void whatIsOwedIsTheKeyThatItWas() {
        List<String> key = new ArrayList<>(List.of("a"));
        this.cache.put(List.of("a"), "old");
        this.client.gone(true);
        this.cache.evict(key);
        key.add("b");
        this.client.gone(false);
        await().until(() -> other().get(List.of("a")) == null);
    }

    /** A put arrives; before its caller knows, an eviction fails: what came later is owed. */
    @Test
    void anEarlierWriteDoesNotPayForALaterOne() {
        this.client.afterNext(() -> {
            this.client.gone(true);
            this.cache.evict("a");
            this.client.gone(false);
        });
        this.cache.put("a", "old");
        await().until(() -> other().get("a") == null);
        this.client.afterNext(() -> {
            this.client.gone(true);
            this.cache.clear();
            this.client.gone(false);
        });
        this.cache.put("b", "old");
        await().until(() -> other().get("b") == null);
    }

    @Test
    void onErrorFailThrows() {
        this.manager = manager(OnError.FAIL);
        CacheMeshCache failing = cache("books");
        this.client.gone(true);
        List<org.assertj.core.api.ThrowableAssert.ThrowingCallable> operations = List.of(() -> failing.get("a"),
                () -> failing.get("a", loader("1")), () -> failing.put("a", "1"), () -> failing.putIfAbsent("a", "1"),
                () -> failing.evict("a"), failing::clear, failing::invalidate);
        for (var operation : operations) {
            assertThatExceptionOfType(CacheMeshUnavailableException.class).isThrownBy(operation);
        }
        assertThat(failing.retrieve("a")).isCompletedExceptionally();
        assertThat(failing.retrieve("a", () -> CompletableFuture.completedFuture("1"))).isCompletedExceptionally();
        assertThat(this.calls).hasValue(0);
    }
}
