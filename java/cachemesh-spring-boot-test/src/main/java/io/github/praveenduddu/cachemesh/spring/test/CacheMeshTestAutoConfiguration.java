package io.github.praveenduddu.cachemesh.spring.test;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshCacheAutoConfiguration;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshCaches;
import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshMemberAutoConfiguration;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.cache.autoconfigure.CacheAutoConfiguration;
import org.springframework.cache.CacheManager;
import org.springframework.context.annotation.Import;

/** The caches of a test, whatever {@code spring.cache.type} its slice has set. */
@AutoConfiguration(after = CacheMeshMemberAutoConfiguration.class,
        before = { CacheMeshCacheAutoConfiguration.class, CacheAutoConfiguration.class })
@ConditionalOnBean(CacheMeshClient.class)
@ConditionalOnMissingBean(CacheManager.class)
@Import(CacheMeshCaches.class)
final class CacheMeshTestAutoConfiguration {
}
