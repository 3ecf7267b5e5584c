/** Starts instances of the shop and drives them, to show what their cache does. */
@NullMarked
package io.github.praveenduddu.cachemesh.sample.drive;

import org.jspecify.annotations.NullMarked;
