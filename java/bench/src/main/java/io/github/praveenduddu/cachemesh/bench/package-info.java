/** The same application on several caches, measured by turns. */
@NullMarked
package io.github.praveenduddu.cachemesh.bench;

import org.jspecify.annotations.NullMarked;
