/** What Spring Boot configures for CacheMesh, and by which properties. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
