package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.spring.actuate.CacheMeshCacheMetrics;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCache;
import io.micrometer.core.instrument.binder.MeterBinder;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.cache.autoconfigure.metrics.CacheMetricsAutoConfiguration;
import org.springframework.boot.cache.metrics.CacheMeterBinderProvider;
import org.springframework.context.annotation.Bean;

/** Tells Spring Boot how caches of the mesh are measured, before it measures those that there are. */
@AutoConfiguration(after = CacheMeshCacheAutoConfiguration.class, before = CacheMetricsAutoConfiguration.class)
@ConditionalOnClass({ MeterBinder.class, CacheMeterBinderProvider.class })
@ConditionalOnBean(CacheMeshClient.class)
public final class CacheMeshCacheMetricsAutoConfiguration {

    @Bean
    CacheMeterBinderProvider<CacheMeshCache> cacheMeshCacheMeterBinderProvider(CacheMeshProperties properties) {
        return (cache, tags) -> new CacheMeshCacheMetrics(cache, tags, properties.metrics().member());
    }
}
