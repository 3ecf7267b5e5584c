/** Members in containers that tests start. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.testcontainers;

import org.jspecify.annotations.NullMarked;
