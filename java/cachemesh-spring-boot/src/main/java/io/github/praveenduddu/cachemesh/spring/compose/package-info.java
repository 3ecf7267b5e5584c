/** Members that Docker Compose runs. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.compose;

import org.jspecify.annotations.NullMarked;
