package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.ClientOptions;

/** Changes what the client is told, after the properties have. Beans of this type are called in their order. */
@FunctionalInterface
public interface CacheMeshClientCustomizer {

    /**
     * Changes what the client is told.
     *
     * @param builder what it is told
     */
    void customize(ClientOptions.Builder builder);
}
