package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheSettings;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshKeyEncoder;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshValues;
import io.github.praveenduddu.cachemesh.spring.cache.JdkValues;
import io.github.praveenduddu.cachemesh.spring.cache.JsonValues;
import io.github.praveenduddu.cachemesh.spring.cache.OnError;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurationPackage;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.cache.autoconfigure.CacheAutoConfiguration;
import org.springframework.boot.cache.autoconfigure.CacheManagerCustomizer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.caffeine.CaffeineCacheManager;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.cache.interceptor.CacheAspectSupport;
import org.springframework.cache.interceptor.CacheResolver;
import org.springframework.cache.support.NoOpCacheManager;
import org.springframework.cache.transaction.TransactionAwareCacheDecorator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class CacheMeshCacheAutoConfigurationTests {

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(CacheMeshMemberAutoConfiguration.class, CacheMeshCacheAutoConfiguration.class,
                CacheAutoConfiguration.class))
        .withPropertyValues("cachemesh.member.mode=none");

    static class Books {

        private final AtomicInteger calls = new AtomicInteger();

        @Cacheable("books")
        public String find(String isbn) {
            this.calls.incrementAndGet();
            return "book " + isbn;
        }

        int calls() {
            return this.calls.get();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Application {

        @Bean
        Books books() {
            return new Books();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableCaching
    static class OwnCaching {
    }

    @Test
    void cacheableWorksWithoutEnableCaching() {
        this.runner.withUserConfiguration(Application.class).run((context) -> {
            assertThat(context).hasSingleBean(CacheMeshCacheManager.class).hasSingleBean(CacheManager.class)
                .hasBean("cacheManager");
            Books books = context.getBean(Books.class);
            assertThat(books.find("1")).isEqualTo("book 1");
            assertThat(books.find("1")).isEqualTo("book 1");
            assertThat(context.getBean(CacheMeshCacheManager.class).getCacheNames()).containsExactly("books");
            assertThat(books.calls()).isEqualTo(1);
        });
    }

    @Test
    void cacheableWorksWithTheApplicationsEnableCaching() {
        this.runner.withUserConfiguration(Application.class, OwnCaching.class).run((context) -> {
            assertThat(context).hasNotFailed().hasSingleBean(CacheAspectSupport.class)
                .doesNotHaveBean(CacheMeshCaches.CachingEnabled.class);
            Books books = context.getBean(Books.class);
            books.find("1");
            books.find("1");
            assertThat(books.calls()).isEqualTo(1);
        });
    }

    @Test
    void enableCachingCanBeSwitchedOff() {
        this.runner.withUserConfiguration(Application.class).withPropertyValues("cachemesh.enable-caching=false").run((context) -> {
            assertThat(context).hasSingleBean(CacheMeshCacheManager.class).doesNotHaveBean(CacheAspectSupport.class);
            Books books = context.getBean(Books.class);
            books.find("1");
            books.find("1");
            assertThat(books.calls()).isEqualTo(2);
        });
    }

    @Test
    void itIsBeforeTheOtherCaches() { // Caffeine is on the class path, and Spring Boot would take it
        this.runner.withUserConfiguration(OwnCaching.class)
            .run((context) -> assertThat(context.getBean(CacheManager.class)).isInstanceOf(CacheMeshCacheManager.class));
        new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(CacheAutoConfiguration.class))
            .withUserConfiguration(OwnCaching.class)
            .run((context) -> assertThat(context.getBean(CacheManager.class)).isInstanceOf(CaffeineCacheManager.class));
    }

    @Test
    void itStepsBackForAnyCacheType() {
        this.runner.withUserConfiguration(OwnCaching.class).withPropertyValues("spring.cache.type=caffeine").run((context) -> {
            assertThat(context.getBean(CacheManager.class)).isInstanceOf(CaffeineCacheManager.class);
            assertThat(context).doesNotHaveBean(CacheMeshClient.class);
        });
        this.runner.withUserConfiguration(OwnCaching.class).withPropertyValues("spring.cache.type=none").run((context) -> {
            assertThat(context.getBean(CacheManager.class)).isInstanceOf(NoOpCacheManager.class);
            assertThat(context).doesNotHaveBean(CacheMeshClient.class);
        });
        this.runner.withUserConfiguration(OwnCaching.class)
            .withPropertyValues("spring.cache.type=caffeine", "cachemesh.enabled=true")
            .run((context) -> {
                assertThat(context.getBean(CacheManager.class)).isInstanceOf(CaffeineCacheManager.class);
                assertThat(context).hasSingleBean(CacheMeshClient.class);
            });
    }

    @Test
    void itStepsBackForACacheManagerOrResolver() {
        this.runner.withUserConfiguration(Application.class)
            .withBean("mine", CacheManager.class, ConcurrentMapCacheManager::new)
            .run((context) -> assertThat(context).doesNotHaveBean(CacheMeshCacheManager.class)
                .doesNotHaveBean(CacheAspectSupport.class).hasSingleBean(CacheManager.class));
        this.runner.withBean("cacheResolver", CacheResolver.class, () -> (operation) -> java.util.List.of())
            .run((context) -> assertThat(context).doesNotHaveBean(CacheManager.class));
    }

    @Test
    void itIsOffWithoutAMeshOrWhenSwitchedOff() {
        this.runner.withPropertyValues("cachemesh.enabled=false")
            .run((context) -> assertThat(context).doesNotHaveBean(CacheMeshCacheManager.class).doesNotHaveBean(CacheMeshClient.class));
        for (Class<?> missing : new Class<?>[] { CacheMeshClient.class, CacheManager.class, CacheAutoConfiguration.class }) {
            this.runner.withClassLoader(new FilteredClassLoader(missing))
                .run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("cacheManager"));
        }
    }

    @Test
    void propertiesReachTheCaches() {
        this.runner.withPropertyValues("cachemesh.defaults.ttl=1m", "cachemesh.defaults.key-prefix=v2:",
                "cachemesh.caches.books.ttl=5s", "cachemesh.caches.books.not-found-ttl=1s", "cachemesh.caches.books.on-error=fail",
                "cachemesh.caches.books.load-timeout=3s", "cachemesh.caches.pages.key-prefix=p:", "spring.cache.cache-names=extra")
            .run((context) -> {
                CacheMeshCacheManager manager = context.getBean(CacheMeshCacheManager.class);
                assertThat(manager.getCacheNames()).containsExactlyInAnyOrder("books", "pages", "extra");
                assertThat(settings(manager, "books")).isEqualTo(new CacheMeshCacheSettings(Duration.ofSeconds(5),
                        Duration.ofSeconds(1), "v2:", OnError.FAIL, Duration.ofSeconds(3)));
                assertThat(settings(manager, "pages")).isEqualTo(new CacheMeshCacheSettings(Duration.ofMinutes(1), null, "p:",
                        OnError.MISS, Duration.ofSeconds(60)));
                assertThat(settings(manager, "extra").ttl()).isEqualTo(Duration.ofMinutes(1));
                manager.getCache("later");
                assertThat(settings(manager, "later").keyPrefix()).isEqualTo("v2:");
            });
    }

    private static CacheMeshCacheSettings settings(CacheMeshCacheManager manager, String name) {
        var cache = manager.getMeshCache(name);
        assertThat(cache).isNotNull();
        return cache.getSettings();
    }

    @Test
    void noOtherCachesIfNoneMayBeMade() {
        this.runner.withPropertyValues("cachemesh.max-caches=0", "cachemesh.caches.books.ttl=1s").run((context) -> {
            assertThat(context.getBean(CacheManager.class).getCache("books")).isNotNull();
            assertThat(context.getBean(CacheManager.class).getCache("pages")).isNull();
        });
    }

    @Test
    void transactionAwareCachesWaitForTheCommit() {
        this.runner.withPropertyValues("cachemesh.transaction-aware=true").run((context) -> {
            CacheMeshCacheManager manager = context.getBean(CacheMeshCacheManager.class);
            assertThat(manager.getCache("books")).isInstanceOf(TransactionAwareCacheDecorator.class);
            assertThat(manager.getMeshCache("books")).isNotNull();
        });
    }

    @Test
    void customizersAreApplied() {
        this.runner.withBean("none", CacheManagerCustomizer.class, () -> (CacheManagerCustomizer<CaffeineCacheManager>) (m) -> m.setCacheNames(java.util.List.of("x")))
            .withBean("mine", CacheManagerCustomizer.class, () -> new CacheManagerCustomizer<CacheMeshCacheManager>() {
                @Override
                public void customize(CacheMeshCacheManager manager) {
                    manager.addCacheNames(java.util.List.of("customized"));
                }
            })
            .run((context) -> assertThat(context.getBean(CacheManager.class).getCacheNames()).containsExactly("customized"));
    }

    @AutoConfigurationPackage(basePackages = "com.acme.shop")
    @Configuration(proxyBeanMethods = false)
    static class Packages {
    }

    @Test
    void valuesAreOfTheApplicationsPackages() {
        this.runner.withUserConfiguration(Packages.class).withPropertyValues("cachemesh.serialization.packages=org.joda").run(
                (context) -> assertThat(context.getBean(CacheMeshValues.class)).isInstanceOf(JsonValues.class)
                    .extracting("packages").asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.COLLECTION)
                    .containsExactlyInAnyOrder("com.acme.shop", "org.joda"));
        this.runner.withPropertyValues("cachemesh.serialization.format=jdk")
            .run((context) -> assertThat(context.getBean(CacheMeshValues.class)).isInstanceOf(JdkValues.class));
        this.runner.withBean("mine", CacheMeshValues.class, Nothing::new)
            .run((context) -> assertThat(context.getBean(CacheMeshValues.class)).isInstanceOf(Nothing.class));
    }

    static class Nothing implements CacheMeshValues {

        @Override
        public byte[] encode(@Nullable Object value) {
            return new byte[1];
        }

        @Override
        public Object decode(byte[] bytes) {
            return "nothing";
        }
    }

    @Test
    void keyEncodersOfTheApplicationAreAsked() {
        this.runner.withBean(CacheMeshKeyEncoder.class, () -> (key) -> (key instanceof Books) ? "books" : null).run((context) -> {
            var cache = context.getBean(CacheManager.class).getCache("any");
            assertThat(cache).isNotNull();
            cache.put(new Books(), "1");
            assertThat(cache.get("books", String.class)).isEqualTo("1");
        });
    }
}
