package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.spring.actuate.CacheMeshEndpoint;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Configures {@link CacheMeshEndpoint}. */
@AutoConfiguration(after = { CacheMeshMemberAutoConfiguration.class, CacheMeshCacheAutoConfiguration.class })
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnBean(CacheMeshClient.class)
@ConditionalOnAvailableEndpoint(CacheMeshEndpoint.class)
public final class CacheMeshEndpointAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    CacheMeshEndpoint cacheMeshEndpoint(CacheMeshClient client, ObjectProvider<CacheMeshCacheManager> manager) {
        return new CacheMeshEndpoint(client, manager.getIfAvailable());
    }
}
