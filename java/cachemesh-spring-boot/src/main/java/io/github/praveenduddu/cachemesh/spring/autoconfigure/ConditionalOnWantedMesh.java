package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches if {@code cachemesh.enabled} is true, or says nothing and {@code spring.cache.type} does not either: who says
 * that has their caches elsewhere, and needs no member.
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Conditional(ConditionalOnWantedMesh.Wanted.class)
@interface ConditionalOnWantedMesh {

    class Wanted extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            ConditionMessage.Builder message = ConditionMessage.forCondition("Wanted mesh");
            Boolean enabled = context.getEnvironment().getProperty("cachemesh.enabled", Boolean.class);
            if (enabled != null) {
                return new ConditionOutcome(enabled, message.because("cachemesh.enabled is " + enabled));
            }
            String type = context.getEnvironment().getProperty("spring.cache.type");
            return (type == null || type.isEmpty()) ? ConditionOutcome.match(message.because("nothing else is said"))
                    : ConditionOutcome.noMatch(message.because("spring.cache.type is " + type));
        }
    }
}
