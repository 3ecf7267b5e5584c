package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What one client does is what the clients of other members see. */
class CacheIT {

    static List<RunningMember> mesh;
    static CacheMeshClient one;
    static CacheMeshClient two;

    @BeforeAll
    static void start() throws Exception {
        mesh = RunningMember.mesh(3);
        one = mesh.get(0).client();
        two = mesh.get(1).client();
    }

    @AfterAll
    static void stop() {
        one.close();
        two.close();
        mesh.forEach(RunningMember::close);
    }

    static MeshCache<String, String> cache(CacheMeshClient c, String name) {
        return c.cache(name, Serializer.utf8(), CacheOptions.DEFAULT);
    }

    @Test
    void getSetDelete() {
        MeshCache<String, String> a = cache(one, "plain");
        MeshCache<String, String> b = cache(two, "plain");
        for (int i = 0; i < 50; i++) {
            String key = "k" + i;
            assertThat(a.get(key)).isNull();
            a.set(key, "v");
            assertThat(b.get(key)).isEqualTo(new CacheEntry<>("v"));
            b.set(key, null);
            assertThat(a.get(key)).isEqualTo(new CacheEntry<>(null));
            assertThat(a.delete(key)).isTrue();
            assertThat(a.delete(key)).isFalse();
            assertThat(b.get(key)).isNull();
        }
    }

    @Test
    void getManyAndStages() throws Exception {
        MeshCache<String, String> a = cache(one, "many");
        MeshCache<String, String> b = cache(two, "many");
        a.setAsync("x", "1", null).toCompletableFuture().get(5, TimeUnit.SECONDS);
        a.set("y", null);
        Map<String, CacheEntry<String>> want = Map.of("x", new CacheEntry<>("1"), "y", new CacheEntry<>(null));
        assertThat(b.getMany(List.of("x", "none", "y"))).isEqualTo(want);
        assertThat(b.getManyAsync(List.of("x", "none", "y")).toCompletableFuture().get(5, TimeUnit.SECONDS)).isEqualTo(want);
        assertThat(b.getMany(List.of())).isEmpty();
        assertThat(b.getAsync("x").toCompletableFuture().get(5, TimeUnit.SECONDS)).isEqualTo(new CacheEntry<>("1"));
        assertThat(b.deleteAsync("x").toCompletableFuture().get(5, TimeUnit.SECONDS)).isTrue();
        assertThat(a.get("x")).isNull();
    }

    @Test
    void putIfAbsentSetsOnceInTheWholeMesh() throws Exception {
        for (int round = 0; round < 20; round++) {
            String key = "k" + round;
            List<CompletableFuture<CacheEntry<String>>> puts = List.of(
                    cache(one, "absent").putIfAbsentAsync(key, "1", null).toCompletableFuture(),
                    cache(two, "absent").putIfAbsentAsync(key, "2", null).toCompletableFuture());
            CacheEntry<String> first = puts.get(0).get(5, TimeUnit.SECONDS);
            CacheEntry<String> second = puts.get(1).get(5, TimeUnit.SECONDS);
            assertThat(first == null ^ second == null).isTrue();
            assertThat(first == null ? second : first).isEqualTo(new CacheEntry<>(first == null ? "1" : "2"));
        }
    }

    @Test
    void timesToLive() {
        MeshCache<String, String> c = one.cache("times", Serializer.utf8(),
                CacheOptions.builder().ttl(Duration.ofMillis(300)).notFoundTtl(Duration.ZERO).build());
        MeshCache<String, String> other = cache(two, "times");
        c.set("k", "v");
        assertThat(other.get("k")).isNotNull();
        c.set("long", "v", Duration.ofMinutes(1));
        c.set("null", "v");
        c.set("null", null); // kept for no time: the value before it is over all the same
        assertThat(other.get("null")).isNull();
        assertThat(c.getOr("loaded", key -> null)).isNull();
        assertThat(other.get("loaded")).isNull();
        RunningMember.until("its time is over", () -> other.get("k") == null);
        assertThat(other.get("long")).isNotNull();
    }

    @Test
    void clearIsForTheCacheAndItsPrefixAlone() throws Exception {
        MeshCache<String, String> a = one.cache("cleared", Serializer.utf8(), CacheOptions.builder().keyPrefix("a:").build());
        MeshCache<String, String> b = two.cache("cleared", Serializer.utf8(), CacheOptions.builder().keyPrefix("b:").build());
        MeshCache<String, String> rest = cache(two, "not cleared");
        a.set("k", "a");
        b.set("k", "b");
        rest.set("k", "c");
        assertThat(cache(two, "cleared").get("a:k")).isEqualTo(new CacheEntry<>("a"));
        a.clear();
        assertThat(a.get("k")).isNull();
        assertThat(b.get("k")).isNotNull();
        assertThat(a.invalidate()).isFalse();
        assertThat(cache(one, "cleared").invalidate()).isTrue();
        assertThat(b.get("k")).isNull();
        cache(one, "cleared").clearAsync().toCompletableFuture().get(5, TimeUnit.SECONDS);
        assertThat(rest.get("k")).isNotNull();
    }

    @Test
    void whatTheMemberKnows() {
        MeshCache<String, String> c = cache(one, "counted");
        c.set("k", "v");
        c.get("k");
        c.get("none");
        CacheStats s = c.stats();
        assertThat(s.gets()).isEqualTo(2);
        assertThat(s.hits()).isEqualTo(1);
        assertThat(s.misses()).isEqualTo(1);
        assertThat(s.sets()).isEqualTo(1);
        assertThat(s.maxBytes()).isPositive();
        MeshInfo m = one.info();
        assertThat(m.settled()).isTrue();
        assertThat(m.mode()).isEqualTo("majority");
        assertThat(m.protocol()).isEqualTo(1);
        assertThat(m.pid()).isEqualTo(mesh.get(0).process.pid());
        assertThat(m.groups()).contains("default", "counted");
        assertThat(m.members()).extracting(MeshInfo.Member::address).contains(mesh.get(1).mesh);
        assertThat(m.members()).extracting(MeshInfo.Member::self).containsOnlyOnce(true);
        assertThat(m.counters()).containsKey("served");
        one.ping();
    }

    @Test
    void errorsSayWhatIsWrong() throws Exception {
        MeshCache<String, String> c = cache(one, "errors");
        assertThatThrownBy(() -> c.get("")).isInstanceOf(IllegalArgumentException.class).hasMessage("key: with its prefix it has 0 bytes, and may have 1 to 4096");
        assertThatThrownBy(() -> c.set("k", "v", Duration.ZERO)).isInstanceOf(IllegalArgumentException.class).hasMessage("ttl: PT0S is not positive");
        assertThatThrownBy(() -> c.set("k", "x".repeat(17 << 20))).isInstanceOf(CacheMeshException.class);
        try (RunningMember closed = RunningMember.start(List.of(), "--other-groups=false"); CacheMeshClient client = closed.client()) {
            assertThatThrownBy(() -> cache(client, "new").get("k")).isInstanceOf(CacheMeshNoSuchCacheException.class).hasMessageContaining("\"new\"");
            assertThatThrownBy(() -> cache(client, "new").getOr("k", k -> "v")).isInstanceOf(CacheMeshNoSuchCacheException.class);
            assertThatThrownBy(() -> cache(client, "default").getOr("k", k -> "v")).isInstanceOf(CacheMeshCommandException.class); // a map has no claims
        }
        MemberAddress a = mesh.get(0).address;
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of(a.host(), a.port(), "wrong")).build())) {
            assertThatThrownBy(client::ping).isInstanceOf(CacheMeshAuthenticationException.class).hasMessage("the member at " + a + " does not take the password");
        }
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of(a.host(), a.port(), null)).build())) {
            assertThatThrownBy(client::ping).isInstanceOf(CacheMeshAuthenticationException.class);
        }
    }
}
