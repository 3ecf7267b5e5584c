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

/** Matches if {@code spring.cache.type} says nothing. */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Conditional(ConditionalOnNoCacheType.NoCacheType.class)
@interface ConditionalOnNoCacheType {

    class NoCacheType extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            ConditionMessage.Builder message = ConditionMessage.forCondition("CacheMesh caches");
            String type = context.getEnvironment().getProperty("spring.cache.type");
            return (type == null || type.isEmpty()) ? ConditionOutcome.match(message.because("spring.cache.type says nothing"))
                    : ConditionOutcome.noMatch(message.because("spring.cache.type is " + type));
        }
    }
}
