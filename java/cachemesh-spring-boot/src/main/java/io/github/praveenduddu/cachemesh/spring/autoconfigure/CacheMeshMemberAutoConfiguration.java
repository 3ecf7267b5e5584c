package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.util.concurrent.ForkJoinPool;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.ClientOptions;
import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.ReadyMember;
import io.github.praveenduddu.cachemesh.spring.memory.InMemoryCacheMeshClient;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.core.env.Environment;
import org.springframework.core.io.ResourceLoader;

/**
 * Configures the member beside this JVM, and the client that talks to it. With {@code cachemesh.member.mode=external},
 * or a {@link CacheMeshConnectionDetails} bean, a member runs already. Beans of the application take the place of each.
 *
 * <p>An application that says {@code spring.cache.type} has its caches elsewhere: then there is no member, unless
 * {@code cachemesh.enabled=true} asks for one.
 */
@AutoConfiguration
@ConditionalOnClass({ CacheMeshClient.class, CacheMeshMember.class })
@ConditionalOnWantedMesh
@EnableConfigurationProperties(CacheMeshProperties.class)
@ImportRuntimeHints(CacheMeshRuntimeHints.class)
public final class CacheMeshMemberAutoConfiguration {

    /** A member that runs already. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingBean({ CacheMeshConnectionDetails.class, CacheMeshClient.class, CacheMeshMember.class })
    @ConditionalOnProperty(name = "cachemesh.member.mode", havingValue = "external")
    static class External {

        @Bean
        PropertiesConnectionDetails cacheMeshConnectionDetails(CacheMeshProperties properties) {
            return new PropertiesConnectionDetails(properties.client());
        }
    }

    /** A member that this JVM starts. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingBean({ CacheMeshConnectionDetails.class, CacheMeshClient.class, CacheMeshMember.class })
    @ConditionalOnProperty(name = "cachemesh.member.mode", havingValue = "embedded", matchIfMissing = true)
    static class Embedded {

        @Bean(destroyMethod = "close")
        CacheMeshMember cacheMeshMember(CacheMeshProperties properties, Environment environment) {
            CacheMeshMember member = CacheMeshMember.create(MemberSettings.of(properties, environment));
            member.start();
            return member;
        }
    }

    /** No member, for tests and for developing: caches are in this JVM's memory. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingBean({ CacheMeshConnectionDetails.class, CacheMeshClient.class, CacheMeshMember.class })
    @ConditionalOnProperty(name = "cachemesh.member.mode", havingValue = "none")
    static class None {

        @Bean(destroyMethod = "close")
        InMemoryCacheMeshClient cacheMeshClient() {
            return new InMemoryCacheMeshClient();
        }
    }

    @Bean
    @ConditionalOnBean(CacheMeshMember.class)
    @ConditionalOnMissingBean({ CacheMeshConnectionDetails.class, CacheMeshClient.class })
    CacheMeshConnectionDetails cacheMeshMemberConnectionDetails(CacheMeshMember member) {
        return () -> {
            ReadyMember ready = member.current();
            return (ready.socket() != null) ? MemberAddress.ofSocket(ready.socket(), ready.password())
                    : MemberAddress.of(ready.host(), ready.port(), ready.password());
        };
    }

    @Bean
    @ConditionalOnBean(CacheMeshMember.class)
    @ConditionalOnMissingBean
    CacheMeshMemberLifecycle cacheMeshMemberLifecycle(CacheMeshMember member) {
        return new CacheMeshMemberLifecycle(member);
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    CacheMeshClient cacheMeshClient(CacheMeshProperties properties, CacheMeshConnectionDetails details, ResourceLoader application,
            ObjectProvider<CacheMeshClientCustomizer> customizers) {
        CacheMeshProperties.Client client = properties.client();
        ClientOptions.Builder builder = ClientOptions.builder(details::getAddress)
            .connectTimeout(client.connectTimeout())
            .timeout(client.timeout())
            .waitingConnections(client.waitingConnections())
            .executor(new ApplicationExecutor(ForkJoinPool.commonPool(), application.getClassLoader()));
        customizers.orderedStream().forEach((customizer) -> customizer.customize(builder));
        return CacheMeshClient.create(builder.build());
    }
}
