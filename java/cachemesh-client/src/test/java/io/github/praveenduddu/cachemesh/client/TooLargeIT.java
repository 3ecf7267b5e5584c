package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Values that the member, or their cache, has no room for, and who else is concerned: nobody. */
@Timeout(60)
class TooLargeIT {

    private static final int LIMIT = 1 << 20; // of the member, for one value

    static RunningMember member;
    static CacheMeshClient client;

    @BeforeAll
    static void start() throws Exception {
        member = RunningMember.start(List.of(), "--max-value-bytes=" + LIMIT, "--other-groups-bytes=8388608");
        client = member.client();
    }

    @AfterAll
    static void stop() {
        client.close();
        member.close();
    }

    static MeshCache<String, byte[]> cache() {
        return client.cache("large", Serializer.bytes(), CacheOptions.DEFAULT);
    }

    static byte[] bytes(int n) {
        byte[] b = new byte[n];
        java.util.Arrays.fill(b, (byte) 'x');
        return b;
    }

    @Test
    void whatTheMemberOrTheCacheDoesNotTakeIsAnErrorAndNothingIsLeftThere() throws Exception {
        for (int size : new int[] {LIMIT, LIMIT + 1, 20 << 20}) { // the first is too large for the cache
            cache().set("k", bytes(1));
            assertThatThrownBy(() -> cache().set("k", bytes(size))).isInstanceOf(CacheMeshTooLargeException.class).hasMessageContaining("value too large: it");
            assertThat(cache().get("k")).as("after a set of " + size).isNull();
            cache().set("k", bytes(2));
            assertThatThrownBy(() -> cache().setAsync("k", bytes(size), null).toCompletableFuture().get(10, TimeUnit.SECONDS))
                    .cause().isInstanceOf(CacheMeshTooLargeException.class);
            assertThat(cache().get("k")).isNull();
            assertThatThrownBy(() -> cache().putIfAbsent("k", bytes(size))).isInstanceOf(CacheMeshTooLargeException.class);
            assertThat(cache().get("k")).isNull();
            cache().set("k", bytes(4));
            CacheEntry<byte[]> there = cache().putIfAbsent("k", bytes(size));
            assertThat(there).isNotNull();
            assertThat(there.value()).hasSize(4);
        }
    }

    @Test
    void aLoadedOneIsHandedOutAndNotKept() {
        for (int size : new int[] {LIMIT, 20 << 20}) {
            assertThat(cache().getOr("loaded", k -> bytes(size))).hasSize(size);
            assertThat(cache().getOrAsync("loaded", k -> CompletableFuture.completedFuture(bytes(size))).toCompletableFuture().join()).hasSize(size);
            assertThat(cache().getOr("loaded", k -> bytes(3))).hasSize(3); // nobody waits for a claim that lapses
            assertThat(cache().delete("loaded")).isTrue();
        }
    }

    @Test
    void operationsAndLoadsOfOthersGoOn() throws Exception {
        long connects = client.clientStats().connects();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletableFuture<byte[]> load = CompletableFuture.supplyAsync(() -> cache().getOr("slow", k -> {
            begun.countDown();
            end.await();
            return bytes(5);
        }), task -> new Thread(task).start());
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        List<CompletableFuture<Void>> others = java.util.stream.IntStream.range(0, 200).mapToObj(i -> cache().setAsync("o" + i, bytes(1), null).toCompletableFuture()).toList();
        assertThatThrownBy(() -> cache().set("huge", bytes(20 << 20))).isInstanceOf(CacheMeshTooLargeException.class);
        for (CompletableFuture<Void> other : others) {
            other.get(10, TimeUnit.SECONDS);
        }
        end.countDown();
        assertThat(load.get(10, TimeUnit.SECONDS)).hasSize(5);
        assertThat(cache().get("slow")).as("the load's value, kept").isNotNull();
        assertThat(client.clientStats().connects()).isLessThanOrEqualTo(Math.max(connects, 1));
    }
}
