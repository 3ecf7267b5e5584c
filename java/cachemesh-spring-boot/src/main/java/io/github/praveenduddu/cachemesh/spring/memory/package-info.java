/** Caches without a member, in this JVM alone: for tests, and for developing. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.memory;

import org.jspecify.annotations.NullMarked;
