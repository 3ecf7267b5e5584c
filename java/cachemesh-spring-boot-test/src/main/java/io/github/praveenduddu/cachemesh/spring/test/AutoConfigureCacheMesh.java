package io.github.praveenduddu.cachemesh.spring.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import io.github.praveenduddu.cachemesh.spring.autoconfigure.CacheMeshProperties;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.context.PropertyMapping;

/**
 * Gives a test caches that behave as those of a mesh: one load for all callers of a key, nulls, values that go through
 * their bytes. They are in the memory of the test; no member is started, so neither a program nor Docker is needed.
 *
 * <p>Slices as {@code @WebMvcTest} have no caches without it. With {@code @SpringBootTest} it takes the place of the
 * member; {@code mode = EMBEDDED} starts one all the same.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ImportAutoConfiguration
public @interface AutoConfigureCacheMesh {

    /**
     * Says who starts the member.
     *
     * @return none by default
     */
    @PropertyMapping("cachemesh.member.mode")
    CacheMeshProperties.Mode mode() default CacheMeshProperties.Mode.NONE;

    /**
     * Says that there is a mesh, also where a slice has set {@code spring.cache.type}.
     *
     * @return true by default
     */
    @PropertyMapping("cachemesh.enabled")
    boolean enabled() default true;
}
