package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.TypeReference;
import org.springframework.cache.interceptor.SimpleKey;

/** What a native image must keep: the program in the jars, and the parts of keys. */
class CacheMeshRuntimeHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
        hints.resources().registerPattern("META-INF/cachemesh/**");
        hints.reflection()
            .registerType(TypeReference.of(SimpleKey.class),
                    (hint) -> hint.withField("params"));
    }
}
