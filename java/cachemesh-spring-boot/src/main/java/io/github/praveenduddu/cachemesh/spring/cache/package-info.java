/** Spring's cache abstraction over a mesh. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.cache;

import org.jspecify.annotations.NullMarked;
