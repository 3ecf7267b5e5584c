package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.spring.actuate.CacheMeshMemberMetrics;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCache;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.cache.autoconfigure.metrics.CacheMetricsAutoConfiguration;
import org.springframework.boot.cache.metrics.CacheMetricsRegistrar;
import org.springframework.context.annotation.Bean;

/** Measures this instance's member, and caches that are made after the start, which Spring Boot does not see. */
@AutoConfiguration(after = { CacheMeshCacheAutoConfiguration.class, CacheMetricsAutoConfiguration.class },
        afterName = "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass({ MeterRegistry.class, CacheMetricsRegistrar.class })
@ConditionalOnBean({ CacheMeshClient.class, MeterRegistry.class })
public final class CacheMeshMetricsAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBooleanProperty(name = "cachemesh.metrics.member", matchIfMissing = true)
    CacheMeshMemberMetrics cacheMeshMemberMetrics(CacheMeshClient client, ObjectProvider<CacheMeshMember> member) {
        return new CacheMeshMemberMetrics(client, member.getIfAvailable());
    }

    @Bean
    @ConditionalOnBean({ CacheMetricsRegistrar.class, CacheMeshCacheManager.class })
    SmartInitializingSingleton cacheMeshLaterCaches(CacheMetricsRegistrar registrar, CacheMeshCacheManager manager,
            MeterRegistry registry) {
        Tag tag = Tag.of("cache.manager", "cacheManager");
        return () -> {
            manager.addListener((cache) -> registrar.bindCacheToRegistry(cache, tag));
            for (String name : manager.getCacheNames()) { // those that were made since Spring Boot looked
                CacheMeshCache cache = manager.getMeshCache(name);
                if (cache != null && registry.find("cache.gets").tags(Tags.of("cache", name).and(tag)).meters().isEmpty()) {
                    registrar.bindCacheToRegistry(cache, tag);
                }
            }
        };
    }
}
