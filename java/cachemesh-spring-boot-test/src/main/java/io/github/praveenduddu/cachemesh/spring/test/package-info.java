/** Tests of applications that use CacheMesh. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.test;

import org.jspecify.annotations.NullMarked;
