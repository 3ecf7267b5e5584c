package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.spring.actuate.CacheMeshHealthIndicator;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** Configures the health of this instance's member. It is no part of readiness, unless the application says so. */
@AutoConfiguration(after = CacheMeshMemberAutoConfiguration.class)
@ConditionalOnClass({ HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class })
@ConditionalOnBean(CacheMeshClient.class)
@ConditionalOnEnabledHealthIndicator("cachemesh")
public final class CacheMeshHealthContributorAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = { "cachemeshHealthIndicator", "cachemeshHealthContributor" })
    HealthContributor cachemeshHealthContributor(CacheMeshClient client, ObjectProvider<CacheMeshMember> member) {
        return new CacheMeshHealthIndicator(client, member.getIfAvailable());
    }
}
