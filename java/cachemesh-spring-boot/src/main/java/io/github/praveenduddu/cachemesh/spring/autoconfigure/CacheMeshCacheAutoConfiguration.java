package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.cache.autoconfigure.CacheAutoConfiguration;
import org.springframework.cache.CacheManager;
import org.springframework.context.annotation.Import;

/**
 * Makes the mesh what Spring's caching annotations use. It steps back for any {@link CacheManager} bean, for
 * a bean "cacheResolver", and when {@code spring.cache.type} says anything.
 */
@AutoConfiguration(before = CacheAutoConfiguration.class, after = CacheMeshMemberAutoConfiguration.class)
@ConditionalOnClass({ CacheManager.class, CacheAutoConfiguration.class, CacheMeshClient.class })
@ConditionalOnBean(CacheMeshClient.class)
@ConditionalOnMissingBean(value = CacheManager.class, name = "cacheResolver")
@ConditionalOnNoCacheType
@Import(CacheMeshCaches.class)
public final class CacheMeshCacheAutoConfiguration {
}
