package io.github.praveenduddu.cachemesh.spring.actuate;

import java.time.Instant;
import java.util.Map;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheMeshNoSuchCacheException;
import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.MemberHealth;
import io.github.praveenduddu.cachemesh.member.MemberState;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshCacheAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshCacheMetricsAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshConnectionDetails;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshEndpointAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshHealthContributorAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshMemberAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshMetricsAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.github.praveenduddu.cachemesh.spring.memory.InMemoryCacheMeshClient;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.cache.autoconfigure.CacheAutoConfiguration;
import org.springframework.boot.cache.autoconfigure.metrics.CacheMetricsAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cache.Cache;

import static org.assertj.core.api.Assertions.assertThat;

class ActuatorAutoConfigurationTests {

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(CacheMeshMemberAutoConfiguration.class, CacheMeshCacheAutoConfiguration.class,
                CacheMeshCacheMetricsAutoConfiguration.class, CacheMeshMetricsAutoConfiguration.class,
                CacheMeshHealthContributorAutoConfiguration.class, CacheMeshEndpointAutoConfiguration.class,
                CacheAutoConfiguration.class, CacheMetricsAutoConfiguration.class, MetricsAutoConfiguration.class))
        .withPropertyValues("cachemesh.member.mode=none");

    @Test
    void healthIsThatOfTheMember() {
        this.runner.run((context) -> {
            Health health = context.getBean("cachemeshHealthContributor", HealthIndicator.class).health();
            assertThat(health).isNotNull();
            assertThat(health.getStatus()).isEqualTo(Status.UP);
            assertThat(health.getDetails()).containsEntry("members", 1).containsEntry("settled", true).containsEntry("mode", "majority");
        });
    }

    @Test
    void healthIsDownWithAReasonWhenNobodyAnswers() {
        this.runner.withPropertyValues("cachemesh.client.timeout=200ms", "cachemesh.client.connect-timeout=200ms")
            .withBean(CacheMeshConnectionDetails.class, () -> () -> MemberAddress.of("127.0.0.1", 1, null))
            .run((context) -> {
                Health health = context.getBean(HealthIndicator.class).health();
                assertThat(health).isNotNull();
                assertThat(health.getStatus()).isEqualTo(Status.DOWN);
                assertThat(health.getDetails().get("reason")).asString().contains("127.0.0.1:1");
            });
    }

    @Test
    void healthIsDownWithTheReasonOfTheSupervisor() {
        Health health = new CacheMeshHealthIndicator(new InMemoryCacheMeshClient(), member(MemberState.RESTARTING, "it was killed")).health();
        assertThat(health.getStatus()).isEqualTo(Status.DOWN);
        assertThat(health.getDetails()).containsEntry("reason", "it was killed").containsEntry("state", "restarting").containsEntry("restarts", 3);
        assertThat(new CacheMeshHealthIndicator(new InMemoryCacheMeshClient(), member(MemberState.STOPPED, null)).health().getDetails())
            .containsEntry("reason", "the member does not run");
    }

    private static CacheMeshMember member(MemberState state, @Nullable String reason) {
        return proxy(CacheMeshMember.class, (proxy, method, args) -> method.getName().equals("health") ? new MemberHealth(state, Instant.EPOCH, reason, 3, -1) : null);
    }

    @Test
    void healthCanBeSwitchedOffOrReplacedOrIsMissing() {
        this.runner.withPropertyValues("management.health.cachemesh.enabled=false")
            .run((context) -> assertThat(context).doesNotHaveBean(HealthContributor.class));
        this.runner.withPropertyValues("cachemesh.enabled=false").run((context) -> assertThat(context).doesNotHaveBean(HealthContributor.class));
        this.runner.withBean("cachemeshHealthIndicator", HealthIndicator.class, () -> () -> Health.unknown().build())
            .run((context) -> assertThat(context).hasSingleBean(HealthContributor.class));
        this.runner.withClassLoader(new FilteredClassLoader(HealthIndicator.class))
            .run((context) -> assertThat(context).hasNotFailed().hasSingleBean(CacheMeshClient.class).doesNotHaveBean("cachemeshHealthContributor"));
    }

    private static double count(MeterRegistry registry, String name, String cache, String... tags) {
        return registry.get(name).tags("cache", cache).tags(tags).functionCounter().count();
    }

    @Test
    void namedCachesAreMeasuredFromTheStartAndOthersWhenTheyAreMade() {
        this.runner.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withPropertyValues("cachemesh.caches.books.ttl=1m", "spring.cache.cache-names=extra")
            .run((context) -> {
                MeterRegistry registry = context.getBean(MeterRegistry.class);
                for (String name : new String[] { "books", "extra" }) {
                    assertThat(count(registry, "cache.gets", name, "result", "hit", "name", name, "cache.manager", "cacheManager")).isZero();
                }
                assertThat(registry.find("cache.gets").tag("cache", "later").meters()).isEmpty();
                Cache later = context.getBean(CacheMeshCacheManager.class).getCache("later");
                assertThat(later).isNotNull();
                later.get("a");
                later.get("a", () -> "1");
                later.get("a");
                later.evict("a");
                assertThat(count(registry, "cache.gets", "later", "result", "hit")).isEqualTo(1);
                assertThat(count(registry, "cache.gets", "later", "result", "miss")).isEqualTo(2);
                assertThat(count(registry, "cache.loads", "later", "result", "success")).isEqualTo(1);
                assertThat(count(registry, "cache.removals", "later")).isEqualTo(1);
                assertThat(count(registry, "cachemesh.cache.gets", "later", "from", "own")).isEqualTo(1);
                assertThat(registry.get("cachemesh.cache.entries").tag("cache", "later").gauge().value()).isZero();
                assertThat(registry.get("cachemesh.members").gauge().value()).isEqualTo(1);
                assertThat(registry.get("cachemesh.client.connected").gauge().value()).isEqualTo(1);
            });
    }

    @Test
    void theMembersMetricsCanBeSwitchedOff() {
        this.runner.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withPropertyValues("cachemesh.caches.books.ttl=1m", "cachemesh.metrics.member=false")
            .run((context) -> {
                MeterRegistry registry = context.getBean(MeterRegistry.class);
                assertThat(count(registry, "cache.gets", "books", "result", "hit")).isZero();
                assertThat(registry.getMeters()).noneMatch((meter) -> meter.getId().getName().startsWith("cachemesh."));
                assertThat(context).doesNotHaveBean(CacheMeshMemberMetrics.class);
            });
    }

    @Test
    void withoutARegistryOrMicrometerNothingIsMeasured() {
        this.runner.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(CacheMeshMemberMetrics.class));
        this.runner.withClassLoader(new FilteredClassLoader("io.micrometer"))
            .run((context) -> assertThat(context).hasNotFailed().hasSingleBean(CacheMeshCacheManager.class)
                .doesNotHaveBean("cacheMeshMemberMetrics"));
    }

    @Test
    void aMemberThatDoesNotAnswerStopsNeitherTheStartNorAScrape() {
        this.runner.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withPropertyValues("cachemesh.client.timeout=100ms", "cachemesh.client.connect-timeout=100ms", "cachemesh.caches.books.ttl=1m")
            .withBean(CacheMeshConnectionDetails.class, () -> () -> MemberAddress.of("127.0.0.1", 1, null))
            .run((context) -> {
                MeterRegistry registry = context.getBean(MeterRegistry.class);
                assertThat(registry.get("cachemesh.members").gauge().value()).isNaN();
                assertThat(registry.get("cachemesh.client.connected").gauge().value()).isZero();
                assertThat(count(registry, "cache.gets", "books", "result", "hit")).isZero();
            });
    }

    @Test
    void theEndpointShowsTheMeshAndClearsIfThatIsAllowed() {
        this.runner.withPropertyValues("management.endpoints.web.exposure.include=cachemesh", "cachemesh.caches.books.ttl=1m").run((context) -> {
            CacheMeshEndpoint endpoint = context.getBean(CacheMeshEndpoint.class);
            Cache books = context.getBean(CacheMeshCacheManager.class).getCache("books");
            assertThat(books).isNotNull();
            books.put("a", "1");
            books.get("a");
            books.get("b");
            CacheMeshEndpoint.MeshDescriptor mesh = endpoint.mesh();
            assertThat(mesh.agreed()).isTrue();
            assertThat(mesh.members()).hasSize(1);
            Map<String, CacheMeshEndpoint.CacheDescriptor> caches = mesh.caches();
            assertThat(caches).containsOnlyKeys("books");
            assertThat(caches.get("books").instance().hits()).isEqualTo(1);
            assertThat(caches.get("books").instance().misses()).isEqualTo(1);
            assertThat(caches.get("books").member().own()).isEqualTo(1);
            assertThat(endpoint.cache("none")).isNull();
            assertThat(endpoint.clear("none")).isNull();
            assertThat(endpoint.clear("books")).isEqualTo(new CacheMeshEndpoint.Cleared(true));
            assertThat(books.get("a")).isNull();
        });
    }

    @Test
    void theEndpointShowsACacheThatTheMemberDoesNotHave() {
        this.runner.withPropertyValues("management.endpoints.web.exposure.include=cachemesh", "spring.cache.cache-names=books,extra")
            .withBean(CacheMeshClient.class, ActuatorAutoConfigurationTests::withoutExtra)
            .run((context) -> {
                Map<String, CacheMeshEndpoint.CacheDescriptor> caches = context.getBean(CacheMeshEndpoint.class).mesh().caches();
                assertThat(caches).containsOnlyKeys("books", "extra");
                assertThat(caches.get("books").member()).isNotNull();
                assertThat(caches.get("extra").member()).isNull();
                assertThat(caches.get("extra").instance().hits()).isZero();
            });
    }

    private static CacheMeshClient withoutExtra() {
        InMemoryCacheMeshClient client = new InMemoryCacheMeshClient();
        return proxy(CacheMeshClient.class, (proxy, method, args) -> {
            Object result = method.invoke(client, args);
            return !(method.getName().equals("cache") && args[0].equals("extra")) ? result : proxy(MeshCache.class, (cache, operation, with) -> {
                throw new CacheMeshNoSuchCacheException("this member has no such group", null);
            });
        });
    }

    private static <T> T proxy(Class<T> type, java.lang.reflect.InvocationHandler handler) {
        return type.cast(java.lang.reflect.Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] { type }, handler));
    }

    @Test
    void theEndpointIsThereIfItIsExposed() {
        this.runner.run((context) -> assertThat(context).doesNotHaveBean(CacheMeshEndpoint.class));
        this.runner.withPropertyValues("management.endpoints.web.exposure.include=cachemesh", "management.endpoint.cachemesh.access=NONE")
            .run((context) -> assertThat(context).doesNotHaveBean(CacheMeshEndpoint.class));
        this.runner.withPropertyValues("management.endpoints.web.exposure.include=*")
            .withBean("mine", CacheMeshEndpoint.class, () -> new CacheMeshEndpoint(new InMemoryCacheMeshClient(), null))
            .run((context) -> assertThat(context).hasSingleBean(CacheMeshEndpoint.class).hasBean("mine"));
        this.runner.withPropertyValues("management.endpoints.web.exposure.include=*")
            .withClassLoader(new FilteredClassLoader(ConditionalOnAvailableEndpoint.class))
            .run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("cacheMeshEndpoint"));
    }
}
