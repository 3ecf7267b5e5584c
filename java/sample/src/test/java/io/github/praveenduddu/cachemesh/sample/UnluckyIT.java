package io.github.praveenduddu.cachemesh.sample;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.MemberState;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/** An application whose users, members and transactions do what nobody would like them to. */
@Timeout(120)
class UnluckyIT {

    private static final String ODD = "odd: {name} #1 ü";

    private static ConfigurableApplicationContext context;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
    }

    private static ConfigurableApplicationContext run(String... more) {
        SpringApplication application = new SpringApplication(Application.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        List<String> all = new ArrayList<>(List.of("--cachemesh.mesh=unlucky-" + ProcessHandle.current().pid(),
                "--spring.datasource.url=jdbc:h2:mem:unlucky;MODE=PostgreSQL", "--cachemesh.transaction-aware=true",
                "--cachemesh.caches[" + ODD + "].ttl=1m", "--cachemesh.member.restart-backoff=50ms"));
        all.addAll(List.of(more));
        return application.run(all.toArray(String[]::new));
    }

    @BeforeAll
    static void start() {
        context = run();
    }

    @AfterAll
    static void close() {
        context.close();
    }

    private static Cache cache(String name) {
        Cache cache = context.getBean(CacheManager.class).getCache(name);
        assertThat(cache).isNotNull();
        return cache;
    }

    private static CacheMeshMember member() {
        return context.getBean(CacheMeshMember.class);
    }

    /** Two hundred threads ask while the member is killed twice: each has its value, and no exception. */
    @Test
    void theMemberIsKilledWhileTwoHundredAsk() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(200);
        AtomicBoolean over = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(200);
        List<Future<Integer>> all = new ArrayList<>();
        for (int t = 0; t < 200; t++) {
            int own = t;
            all.add(threads.submit(() -> {
                int asked = 0;
                for (; asked == 0 || !over.get(); asked++) {
                    int key = (own + asked) % 50;
                    assertThat(cache("killed").get(key, () -> "value of " + key)).isEqualTo("value of " + key);
                    if (own % 20 == 0) {
                        cache("killed").evict(key);
                    }
                    begun.countDown();
                }
                return asked;
            }));
        }
        assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
        for (int i = 0; i < 2; i++) {
            long pid = member().current().pid();
            member().restart();
            await().atMost(Duration.ofSeconds(30)).until(() -> member().health().state() == MemberState.READY && member().current().pid() != pid);
        }
        over.set(true);
        for (Future<Integer> one : all) {
            assertThat(one.get(60, TimeUnit.SECONDS)).isPositive();
        }
        threads.shutdown();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            cache("killed").put("after", "v");
            return cache("killed").get("after") != null;
        });
    }

    @Test
    void namesAndKeysOfAllKinds() {
        List<String> keys = List.of("", " ", "\n", "\r\n", "\0", "#", "#s", "a b", "ü😀", "{}", "x".repeat(5000), "x".repeat(5001));
        for (String name : List.of(ODD, "a b", "line\nbreak", "..", "a/b", "*", "\0", "x".repeat(255))) {
            for (String key : keys) {
                cache(name).put(key, "value of " + key);
            }
            for (String key : keys) {
                assertThat(cache(name).get(key, String.class)).as("%s of %s", key, name).isEqualTo("value of " + key);
                assertThat(cache(name).evictIfPresent(key)).isTrue();
            }
        }
        for (String name : List.of("", "x".repeat(256), "ü".repeat(128))) {
            assertThatIllegalArgumentException().isThrownBy(() -> cache(name)).withMessageContaining("1 to 255 bytes");
        }
    }

    @Test
    void valuesThatAreTooLargeConcernNobodyElse() throws Exception {
        Cache cache = cache("huge");
        for (int size : new int[] { 3 << 20, 17 << 20 }) {
            String huge = "x".repeat(size);
            cache.put("k", "old");
            CompletableFuture<String> load = CompletableFuture.supplyAsync(() -> cache("others").get("k" + size, () -> {
                Thread.sleep(300);
                return "v";
            }), (task) -> new Thread(task).start());
            cache.put("k", huge);
            assertThat(cache.get("k")).as("what was there before").isNull();
            assertThat(cache.get("k", () -> huge)).hasSize(size);
            assertThat(cache.putIfAbsent("k", huge)).isNull();
            assertThat(load.get(30, TimeUnit.SECONDS)).isEqualTo("v");
            assertThat(cache("others").get("k" + size, String.class)).isEqualTo("v");
            cache.put("k", "new");
            assertThat(cache.get("k", String.class)).isEqualTo("new");
        }
    }

    @Test
    void aTransactionThatIsRolledBackHasChangedNothing() {
        TransactionTemplate transaction = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
        Cache cache = cache("transactions");
        cache.put("there", "before");
        transaction.executeWithoutResult((status) -> {
            cache.put("new", "never");
            cache.put("there", "never");
            cache.evict("there");
            cache.clear();
            status.setRollbackOnly();
        });
        assertThat(cache.get("new")).isNull();
        assertThat(cache.get("there", String.class)).isEqualTo("before");
        transaction.executeWithoutResult((status) -> {
            cache.put("new", "committed");
            cache.evict("there");
            assertThat(cache.get("new")).isNull();
        });
        assertThat(cache.get("new", String.class)).isEqualTo("committed");
        assertThat(cache.get("there")).isNull();
    }

    /** As the development tools do again and again: no thread, no process is left, and loads come to their end. */
    @Test
    void closedWhileALoadRuns() throws Exception {
        Set<Thread> before = ours();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        ConfigurableApplicationContext other = run("--cachemesh.mesh=closed-" + ProcessHandle.current().pid());
        long pid = other.getBean(CacheMeshMember.class).current().pid();
        Cache cache = other.getBean(CacheManager.class).getCache("any");
        assertThat(cache).isNotNull();
        CompletableFuture<String> load = CompletableFuture.supplyAsync(() -> cache.get("k", () -> {
            begun.countDown();
            end.await();
            return "v";
        }), (task) -> new Thread(task).start());
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
        CompletableFuture<String> waits = CompletableFuture.supplyAsync(() -> cache.get("k", () -> "own"), (task) -> new Thread(task).start());
        other.close();
        end.countDown();
        assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("v");
        assertThat(waits.get(10, TimeUnit.SECONDS)).isIn("own", "v");
        assertThat(cache.get("k")).isNull();
        assertThat(cache.retrieve("k", () -> CompletableFuture.completedFuture("w")).get(10, TimeUnit.SECONDS)).isEqualTo("w");
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
        await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> assertThat(ours()).isSubsetOf(before));
    }

    private static Set<Thread> ours() {
        return Thread.getAllStackTraces().keySet().stream()
            .filter((thread) -> thread.getName().startsWith("cachemesh") || thread.getName().startsWith("lettuce")).collect(Collectors.toSet());
    }
}
