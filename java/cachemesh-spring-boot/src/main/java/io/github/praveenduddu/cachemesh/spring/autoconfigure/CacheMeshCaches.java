package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.util.ArrayList;
import java.util.List;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshKeyEncoder;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshValues;
import io.github.praveenduddu.cachemesh.spring.cache.JdkValues;
import io.github.praveenduddu.cachemesh.spring.cache.JsonValues;
import io.github.praveenduddu.cachemesh.spring.cache.KeyEncoding;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfigurationPackages;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.cache.autoconfigure.CacheManagerCustomizer;
import org.springframework.boot.cache.autoconfigure.CacheManagerCustomizers;
import org.springframework.boot.cache.autoconfigure.CacheProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.interceptor.CacheAspectSupport;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ResourceLoader;

/**
 * The caches of a mesh, and Spring's caching annotations, by the properties. What imports it says when.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({ CacheMeshProperties.class, CacheProperties.class })
public class CacheMeshCaches {

    /** Without this, {@code @Cacheable} would silently do nothing. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingBean(CacheAspectSupport.class)
    @ConditionalOnBooleanProperty(name = "cachemesh.enable-caching", matchIfMissing = true)
    @EnableCaching
    static class CachingEnabled {
    }

    @Bean
    @ConditionalOnMissingBean
    CacheManagerCustomizers cacheManagerCustomizers(ObjectProvider<CacheManagerCustomizer<?>> customizers) {
        return new CacheManagerCustomizers(customizers.orderedStream().toList());
    }

    @Bean
    @ConditionalOnMissingBean
    CacheMeshValues cacheMeshValues(CacheMeshProperties properties, BeanFactory beanFactory, ResourceLoader resources) {
        List<String> packages = new ArrayList<>(properties.serialization().packages());
        if (AutoConfigurationPackages.has(beanFactory)) {
            packages.addAll(AutoConfigurationPackages.get(beanFactory));
        }
        return switch (properties.serialization().format()) {
            case JSON -> new JsonValues(packages, resources.getClassLoader());
            case JDK -> new JdkValues(packages, resources.getClassLoader());
        };
    }

    @Bean
    CacheMeshCacheManager cacheManager(CacheMeshClient client, CacheMeshValues values,
            ObjectProvider<CacheMeshKeyEncoder> encoders, CacheMeshProperties properties, CacheProperties cacheProperties,
            CacheManagerCustomizers customizers) {
        CacheMeshCacheManager manager = new CacheMeshCacheManager(client,
                new KeyEncoding(encoders.orderedStream().toList()), values);
        manager.setTransactionAware(properties.transactionAware());
        manager.setDynamic(properties.maxCaches() > 0);
        manager.setDefaults(properties.defaults().toSettings());
        properties.caches().forEach((name, options) -> manager.setSettings(name, options.over(properties.defaults()).toSettings()));
        manager.addCacheNames(cacheProperties.getCacheNames());
        return customizers.customize(manager);
    }
}
